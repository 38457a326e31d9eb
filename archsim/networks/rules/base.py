"""What a learning rule is: a block of a workload's network, from which the program of a training step is derived."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, FiniteFloat

from archsim.base.yamlfile import Record
from archsim.networks.graph import Graph
from archsim.networks.program import Program
from archsim.networks.rules.writer import Loss

Spread = Annotated[FiniteFloat, Field(gt=0)]


class Rule(Record):
    """A learning rule. A new one is a file with a subclass, named in the registry."""

    kind: str

    @abstractmethod
    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with the matrices and feeds that the rule needs beside its own, and a step's program.

        Parameters
        ----------
        graph : Graph
        loss : Loss
        outputs : names of tensors that the program keeps as results

        Raises
        ------
        ModelError
            If the rule is not defined for the graph.
        """

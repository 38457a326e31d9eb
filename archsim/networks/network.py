"""A network: its graph, the programs that train it and pass it, and its initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.base.streams import Streams
from archsim.learning.dropout import SEED_BELOW
from archsim.learning.functions import words
from archsim.networks.graph import SEED_WORDS, SEEDS, Graph, Matrix
from archsim.networks.program import Program
from archsim.networks.rules.backprop import Backpropagation, forward
from archsim.networks.rules.base import Rule
from archsim.networks.rules.writer import Loss

INPUT, TARGET = "x", "target"
"""Names of the feeds of a supervised training."""


@dataclass(frozen=True)
class Network:
    """What a chip holds and is asked for.

    Parameters
    ----------
    graph : Graph
    training : tuple of Program
        One training step: programs that are done in this order. Their results are outputs; those of the last end with
        the states to carry, in the graph's order.
    inference : Program
        One pass; its first result is the output, the others are states.
    latent : tuple of str
        Feeds that each training step draws at random, uniform from -1 to 1.
    initial : name -> float32 array, (rows, columns)
        Matrices and parameters that start from these values and are not drawn.
    """

    graph: Graph
    training: tuple[Program, ...]
    inference: Program
    latent: tuple[str, ...] = ()
    initial: Mapping[str, F32] = field(default_factory=dict)

    @classmethod
    def supervised(cls, graph: Graph, loss: Loss, rule: Rule | None = None) -> Network:
        """Return a network that learns its one output from targets, by backpropagation if no other rule is given.

        Raises
        ------
        ModelError
            If the rule is not defined for the graph.
        """
        outputs = [loss.output, *graph.states.values()]
        derived, program = (rule or Backpropagation(kind="backpropagation")).derive(graph, loss, outputs)
        return cls(derived, (program,), forward(graph, outputs))

    def starting(self, initial: Mapping[str, F32]) -> Network:
        """Return the network with initial values of matrices and parameters in place of drawn ones.

        Raises
        ------
        ModelError
            If there is none of a name, or it has another shape.
        """
        parameters = self.graph.parameters.values()
        shapes = {**self.shapes, **{one.name: (words(one.shape[:-1]), one.shape[-1]) for one in parameters}}
        for name, values in initial.items():
            if name not in shapes:
                raise ModelError(f"has values for {name!r}; the network has no matrix or parameter of that name")
            if values.shape != shapes[name]:
                raise ModelError(f"{name} is {_by(values.shape)}; the network has it {_by(shapes[name])}")
        return replace(self, initial=dict(initial))

    @property
    def programs(self) -> tuple[Program, ...]:
        """All programs, of training and of inference."""
        return (*self.training, self.inference)

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The matrices that learn, in the order of the graph."""
        return tuple(matrix for matrix in self.graph.matrices.values() if matrix.learns)

    @property
    def fixed(self) -> tuple[Matrix, ...]:
        """The others, that a learning rule needs: random ones, and signs of weights."""
        return tuple(matrix for matrix in self.graph.matrices.values() if not matrix.learns)

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of each matrix that learns."""
        return {matrix.name: matrix.shape for matrix in self.matrices}

    @property
    def parameter_words(self) -> int:
        """Numbers that learn in digital."""
        return sum(words(parameter.shape) for parameter in self.graph.parameters.values())

    @property
    def inputs(self) -> int:
        """Elements of a sample."""
        return self.graph.tensors[INPUT].words

    @property
    def outputs(self) -> int:
        """Elements of a vector of the output: classes."""
        name, _ = self.inference.results[0]
        return self.graph.tensors[name].shape[-1]

    @property
    def weights(self) -> int:
        """Number of weights that learn, biases included."""
        return sum(matrix.weights for matrix in self.matrices)

    def initial_weights(self, streams: Streams) -> dict[str, F32]:
        """Return weights of mean 0 and the stated deviation by matrix: the start that all chips of a run share.

        A matrix of signs has those of the weights that it follows, which stand before it: 1 or -1.
        """
        found: dict[str, F32] = {}
        for matrix in self.graph.matrices.values():
            if matrix.role == "signs":
                signs = np.where(found[matrix.of] < 0, np.float32(-1), np.float32(1)).T
                found[matrix.name] = np.ascontiguousarray(signs, np.float32)
                continue
            if matrix.name in self.initial:
                found[matrix.name] = self.initial[matrix.name].copy()
                continue
            random = streams.generator(f"initial/{matrix.name}")
            if levels := matrix.initial_levels:
                drawn = (random.integers(levels, size=matrix.shape) - (levels - 1) / 2) / np.sqrt((levels**2 - 1) / 12)
            else:
                drawn = random.standard_normal(matrix.shape)
            found[matrix.name] = (matrix.initial_std * drawn).astype(np.float32)
        return found

    def drawn(self, random: np.random.Generator, samples: int) -> dict[str, F32]:
        """Return what a training step feeds beside the batch: latent vectors and seeds of random numbers, if any.

        Seeds are whole numbers below 2^24, which float32 has; the functions that read them make what they need of them
        by counters, so that it is the same on every chip, whatever the order, and after a resume.
        """
        found = {name: self.drawn_latent(random, samples, name) for name in self.latent}
        if SEEDS in self.graph.tensors:
            found[SEEDS] = random.integers(SEED_BELOW, size=(samples, SEED_WORDS)).astype(np.float32)
        return found

    def drawn_latent(self, random: np.random.Generator, samples: int, name: str) -> F32:
        """Return latent vectors, (samples, elements): uniform from -1 to 1."""
        drawn: F32 = random.uniform(-1, 1, (samples, self.graph.tensors[name].words)).astype(np.float32)
        return drawn

    def initial_parameters(self, streams: Streams) -> dict[str, F32]:
        """Return the initial values of each parameter, (rows, size)."""
        found = {}
        for one in self.graph.parameters.values():
            if one.name in self.initial:
                found[one.name] = self.initial[one.name].copy()
                continue
            shape = words(one.shape[:-1]), one.shape[-1]
            drawn = streams.generator(f"initial/{one.name}").standard_normal(shape) if one.std else 0.0
            found[one.name] = np.full(shape, np.asarray(one.mean) + one.std * drawn, np.float32)
        return found


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))

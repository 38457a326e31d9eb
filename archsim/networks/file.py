"""What a workload says of its network: inputs, initial weights, layers, loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from archsim.base import registry
from archsim.base.errors import ModelError
from archsim.base.quantities import Count
from archsim.base.yamlfile import Record
from archsim.learning.functions import Shape
from archsim.networks.graph import Builder, Tensor
from archsim.networks.layers.base import Layer
from archsim.networks.losses import LossName, loss
from archsim.networks.network import INPUT, TARGET, Network


def _kind(layer: object) -> str | None:
    kind = layer.get("kind") if isinstance(layer, Mapping) else getattr(layer, "kind", None)
    return None if kind is None else f"<{kind}>"


if TYPE_CHECKING:
    LayerFile = Layer
else:
    _TAGGED = tuple(Annotated[kind, Tag(f"<{name}>")] for name, kind in registry.each("layer").items())
    LayerFile = Annotated[Union[_TAGGED], Discriminator(_kind)]  # noqa: UP007
    """A layer of any kind that is known."""


class NetworkFile(Record):
    """The network: shape of a sample, initial weights, layers from the input on, loss of the last one's result.

    `inputs` is the number of elements of a sample, or its shape with the channels last. Initial weights are normal, or
    uniform over `initial_levels` equally spaced values; `initial_std` is their spread, or the rule by which it follows
    from the rows of each matrix.
    """

    inputs: Count | Annotated[list[Count], Field(min_length=1)]
    initial_std: Annotated[FiniteFloat, Field(gt=0)] | Literal["lecun", "he"]
    initial_levels: Annotated[int, Field(ge=2, strict=True)] | None = None
    layers: Annotated[list[LayerFile], Field(min_length=1)]
    loss: LossName = "squared"

    @model_validator(mode="after")
    def _sound(self) -> NetworkFile:
        try:
            self.build()
        except ModelError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def shape(self) -> Shape:
        """The shape of a sample."""
        return (self.inputs,) if isinstance(self.inputs, int) else tuple(self.inputs)

    def build(self, *, bound: float | None = 1.0) -> Network:
        """Return the network.

        Parameters
        ----------
        bound : float, optional
            Largest magnitude of an input.

        Raises
        ------
        ModelError
            If names or shapes do not fit.
        """
        builder = Builder(self.initial_std, self.initial_levels or 0)
        results = {INPUT: builder.feed(INPUT, self.shape, bound=bound)}
        last = results[INPUT]
        for layer in self.layers:
            if layer.name in (*results, TARGET, "chip"):
                raise ModelError(f"a layer is named {layer.name!r}; expected a name that nothing else has")
            last = results[layer.name] = layer.build(builder, _taken(layer, results, last))
        builder.feed(TARGET, last.shape)
        graph = builder.graph()
        return Network.supervised(graph, loss(self.loss, graph, last, TARGET))


def _taken(layer: Layer, results: Mapping[str, Tensor], last: Tensor) -> list[Tensor]:
    """Return what a layer takes: the results that it names, or the one before."""
    if layer.of is None:
        found = [last]
    else:
        if unknown := [name for name in layer.of if name not in results]:
            known = ", ".join(results)
            raise ModelError(
                f"{layer.name} takes {unknown[0]!r}, which no layer before it gives; expected one of {known}"
            )
        found = [results[name] for name in layer.of]
    if layer.TAKES is not None and len(found) != layer.TAKES:
        raise ModelError(f"{layer.name} takes {len(found)} results; expected {layer.TAKES}")
    if layer.TAKES is None and len(found) < 2:
        raise ModelError(f"{layer.name} takes one result; expected two or more, named in `of`")
    return found

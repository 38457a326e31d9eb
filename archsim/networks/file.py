"""What a workload says of its network: inputs, initial weights, layers, loss; or a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag, TypeAdapter, model_validator

from archsim.base import registry
from archsim.base.errors import FaultBelow, ModelError
from archsim.base.quantities import Count
from archsim.base.yamlfile import STORED, Key, Record
from archsim.learning.functions import Shape
from archsim.networks.adversarial import GENERATED, LATENT, REAL, adversarial
from archsim.networks.builder import Builder
from archsim.networks.faults import NamedFault, within
from archsim.networks.layers.base import Layer
from archsim.networks.losses import LossName, loss
from archsim.networks.network import INPUT, TARGET, Network
from archsim.networks.rules.backprop import Backpropagation
from archsim.networks.rules.base import Rule
from archsim.networks.wiring import built, home


def _kind(block: object) -> str | None:
    kind = block.get("kind") if isinstance(block, Mapping) else getattr(block, "kind", None)
    return None if kind is None else f"<{kind}>"


if TYPE_CHECKING:
    LayerFile = Layer
else:
    _TAGGED = tuple(Annotated[kind, Tag(f"<{name}>")] for name, kind in registry.each("layer").items())
    LayerFile = Annotated[Union[_TAGGED], Discriminator(_kind)]  # noqa: UP007
    """A layer of any kind that is known."""


Inputs = Count | Annotated[list[Count], Field(min_length=1)]
InitialStd = Annotated[FiniteFloat, Field(gt=0)] | Literal["lecun", "he"]
Layers = Annotated[list[LayerFile], Field(min_length=1)]


def _named(rule: object) -> object:
    """Return a rule by its name alone as a block."""
    return {"kind": rule} if isinstance(rule, str) else rule


if TYPE_CHECKING:
    RuleFile = Rule
else:
    _RULES = tuple(Annotated[kind, Tag(f"<{name}>")] for name, kind in registry.each("rule").items())
    RuleFile = Annotated[Union[_RULES], Discriminator(_kind), BeforeValidator(_named)]  # noqa: UP007
    """A learning rule by its kind, or by the name of it alone."""
RESERVED = (TARGET, "chip")
"""What no layer is named, beside the feeds that it could take."""


class NetworkFile(Record):
    """The network: shape of a sample, initial weights, layers from the input on, loss of the last one's result.

    `learning` is the rule by which it learns from the loss: backpropagation, if no other is named.

    `inputs` is the number of elements of a sample, or its shape with the channels last. Initial weights are normal, or
    uniform over `initial_levels` equally spaced values; `initial_std` is their spread, or the rule by which it follows
    from the rows of each matrix.
    """

    inputs: Inputs
    initial_std: InitialStd
    initial_levels: Annotated[int, Field(ge=2, strict=True)] | None = None
    layers: Layers
    loss: LossName = "squared"
    learning: RuleFile = Backpropagation(kind="backpropagation")

    @model_validator(mode="after")
    def _sound(self) -> NetworkFile:
        _check(self)
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
        with within("layers"):
            last = built(self.layers, builder, (INPUT, builder.feed(INPUT, self.shape, bound=bound)), RESERVED)
        builder.feed(TARGET, last.shape)
        graph = builder.graph()
        with within("loss"):
            said = loss(self.loss, graph, last, TARGET)
        with within("learning"):
            return Network.supervised(graph, said, self.learning)

    @property
    def last(self) -> Key:
        """The keys, from the network's own on, of the layer whose result is that of the network."""
        return "layers", len(self.layers) - 1

    def home(self, name: str) -> Key:
        """Return the keys, from the network's own on, of the layer with a matrix, parameter or part of a name."""
        return _home({("layers",): self.layers}, name)

    def layer(self, name: str) -> Layer | None:
        """Return the layer with a matrix, parameter or part of a name; None without one."""
        number = home(self.layers, name)
        return None if number is None else self.layers[number]


class GeneratorFile(Record):
    """What makes samples of latent vectors, drawn uniformly from -1 to 1: their shape, initial weights, layers.

    The last layer's result has the shape of a sample.
    """

    inputs: Inputs
    initial_std: InitialStd
    layers: Layers


class DiscriminatorFile(Record):
    """What tells the data's samples from the generator's: initial weights, layers from the sample on.

    The last layer is a sigmoid: its result is the probability that a sample is one of the data's.
    """

    initial_std: InitialStd
    layers: Layers


class AdversarialFile(Record):
    """A generator and a discriminator, trained in turn in each step (Goodfellow et al. 2014), by binary cross-entropy.

    First the discriminator learns to tell a batch of the data from as many generated samples, then the generator to
    have its samples taken for the data's.
    """

    generator: GeneratorFile
    discriminator: DiscriminatorFile

    @model_validator(mode="after")
    def _sound(self) -> AdversarialFile:
        _check(self)
        return self

    def build(self, *, bound: float | None = 1.0) -> Network:
        """Return the network; `bound` as in `NetworkFile.build`.

        Raises
        ------
        ModelError
            If names or shapes do not fit.
        """
        told, judge = self.generator, self.discriminator
        builder = Builder(told.initial_std)
        z = builder.feed(LATENT, (told.inputs,) if isinstance(told.inputs, int) else tuple(told.inputs), bound=1.0)
        with within("generator", "layers"):
            made = built(told.layers, builder, (LATENT, z), (INPUT, REAL, GENERATED, *RESERVED))
        mine = builder.names()
        builder.initial_std = judge.initial_std
        others = (LATENT, REAL, GENERATED, *(layer.name for layer in told.layers), *RESERVED)
        x = builder.feed(INPUT, made.shape, bound=bound)
        with within("discriminator", "layers"):
            of_real = built(judge.layers, builder, (INPUT, x), others)
            with builder.again():
                of_made = built(judge.layers, builder, (INPUT, made), others)
        with within("discriminator", "layers", len(judge.layers) - 1):
            return adversarial(builder, mine, made, (of_real, of_made))

    @property
    def last(self) -> Key:
        """The keys of the layer that makes a sample."""
        return "generator", "layers", len(self.generator.layers) - 1

    def home(self, name: str) -> Key:
        """As `NetworkFile.home`."""
        parts = {"generator": self.generator.layers, "discriminator": self.discriminator.layers}
        return _home({(part, "layers"): layers for part, layers in parts.items()}, name)

    def layer(self, name: str) -> Layer | None:
        """As `NetworkFile.layer`."""
        found = ((each, home(each, name)) for each in (self.generator.layers, self.discriminator.layers))
        return next((layers[number] for layers, number in found if number is not None), None)


def _check(network: NetworkFile | AdversarialFile) -> None:
    """Refuse a network that cannot be built, with the place of what is wrong."""
    try:
        network.build()
    except NamedFault as error:
        raise FaultBelow(str(error), network.home(error.name)) from None
    except ModelError as error:
        raise FaultBelow(str(error), error.at) from None


def _home(lists: Mapping[Key, Layers], name: str) -> Key:
    """Return the keys of the layer that a name belongs to, in the first list that has it; else those of the list."""
    for keys, layers in lists.items():
        if (number := home(layers, name)) is not None:
            return (*keys, number)
    return next(iter(lists))


def _form(network: object) -> str:
    """Return the tag of the form that a network is given in."""
    told = isinstance(network, AdversarialFile) or (
        isinstance(network, Mapping) and bool({"generator", "discriminator"} & network.keys())
    )
    return "<adversarial>" if told else "<layers>"


AnyNetwork = Annotated[
    Annotated[NetworkFile, Tag("<layers>")] | Annotated[AdversarialFile, Tag("<adversarial>")], Discriminator(_form)
]
"""A network in any form: told apart by its keys."""
_ANY: TypeAdapter[NetworkFile | AdversarialFile] = TypeAdapter(AnyNetwork, config=ConfigDict(defer_build=True))


def file_of(told: Mapping[str, Any]) -> NetworkFile | AdversarialFile:
    """Return what a run.yaml says of its network."""
    return _ANY.validate_python(told, context=STORED)


def network_of(told: Mapping[str, Any]) -> Network:
    """Return the network of what a run.yaml says of it."""
    return file_of(told).build()

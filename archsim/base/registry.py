"""One door for built-ins and plug-ins: classes and functions by kind and name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from archsim.base.errors import InputError, nearest, shown

_LOG = logging.getLogger("archsim")

_BUILT_IN: dict[str, dict[str, str]] = {
    "device": {
        "pcm": "archsim.devices.pcm:Pcm",
        "ideal": "archsim.devices.ideal:Ideal",
        "linear": "archsim.devices.linear:Linear",
        "soft-bounds": "archsim.devices.softbounds:SoftBounds",
        "table": "archsim.devices.table:Table",
    },
    "chip": {
        "mixed-precision": "archsim.chips.crossbars.mixed_precision:MixedPrecisionChip",
        "digital32": "archsim.chips.digital.digital32:Digital32Chip",
        "in-array": "archsim.chips.crossbars.in_array:InArrayChip",
    },
    "layer": {
        "activation": "archsim.networks.layers.activation:ActivationLayer",
        "add": "archsim.networks.layers.elementwise:Add",
        "attend": "archsim.networks.layers.sequences.attend:AttendLayer",
        "attention": "archsim.networks.layers.sequences.attention:Attention",
        "average-pool": "archsim.networks.layers.images.pool:AveragePoolLayer",
        "batch-norm": "archsim.networks.layers.norm:BatchNorm",
        "bottleneck": "archsim.networks.layers.images.residual:Bottleneck",
        "concat": "archsim.networks.layers.arrange:Concat",
        "conv-norm": "archsim.networks.layers.images.conv_norm:ConvNorm",
        "conv2d": "archsim.networks.layers.images.conv2d:Conv2d",
        "conv2d-transposed": "archsim.networks.layers.images.conv2d_transposed:Conv2dTransposed",
        "decoder-block": "archsim.networks.layers.sequences.decoder_block:DecoderBlock",
        "dense": "archsim.networks.layers.dense:Dense",
        "depthwise": "archsim.networks.layers.images.depthwise:DepthwiseLayer",
        "dropout": "archsim.networks.layers.dropout:DropoutLayer",
        "embedding": "archsim.networks.layers.sequences.embedding:Embedding",
        "encoder-block": "archsim.networks.layers.sequences.encoder_block:EncoderBlock",
        "fit": "archsim.networks.layers.arrange:FitLayer",
        "flatten": "archsim.networks.layers.flatten:Flatten",
        "global-average": "archsim.networks.layers.images.pool:GlobalAverage",
        "group-norm": "archsim.networks.layers.norm:GroupNorm",
        "gru": "archsim.networks.layers.sequences.gru:Gru",
        "inverted-residual": "archsim.networks.layers.images.residual:InvertedResidual",
        "layer-norm": "archsim.networks.layers.norm:LayerNorm",
        "local-norm": "archsim.networks.layers.images.local_norm:LocalNorm",
        "lstm": "archsim.networks.layers.sequences.lstm:Lstm",
        "max-pool": "archsim.networks.layers.images.pool:MaxPoolLayer",
        "multiply": "archsim.networks.layers.elementwise:Multiply",
        "one-hot": "archsim.networks.layers.sequences.one_hot:OneHot",
        "pad": "archsim.networks.layers.arrange:PadLayer",
        "part": "archsim.networks.layers.sequences.attend:Part",
        "positions": "archsim.networks.layers.sequences.positions:Positions",
        "residual-block": "archsim.networks.layers.images.residual:ResidualBlock",
        "rnn": "archsim.networks.layers.sequences.rnn:Rnn",
        "scale": "archsim.networks.layers.norm:Scale",
        "sequence": "archsim.networks.layers.sequences.sequence:SequenceLayer",
        "shuffle": "archsim.networks.layers.arrange:Shuffle",
        "take": "archsim.networks.layers.sequences.sequence:Take",
        "tied": "archsim.networks.layers.tied:Tied",
        "tokens": "archsim.networks.layers.sequences.sequence:Tokens",
        "upsample": "archsim.networks.layers.images.pool:Upsample",
    },
    "rule": {
        "backpropagation": "archsim.networks.rules.backprop:Backpropagation",
        "direct-feedback-alignment": "archsim.networks.rules.direct:DirectFeedbackAlignment",
        "feedback-alignment": "archsim.networks.rules.feedback:FeedbackAlignment",
        "local-losses": "archsim.networks.rules.local:LocalLosses",
        "node-perturbation": "archsim.networks.rules.perturbation:NodePerturbation",
        "sign-symmetric": "archsim.networks.rules.feedback:SignSymmetric",
        "weight-perturbation": "archsim.networks.rules.perturbation:WeightPerturbation",
    },
    "chart": {
        "energy": "archsim.report.charts.energy:draw",
        "latency": "archsim.report.charts.latency:draw",
        "metric": "archsim.report.charts.metric:draw",
        "contributions": "archsim.report.charts.contributions:draw",
        "area": "archsim.report.charts.area:draw",
        "samples": "archsim.report.charts.samples:draw",
    },
}


_NEEDED = {
    "device": ("FILE",),
    "chip": ("SCHEMA", "start", "check", "demands"),
    "layer": ("TAKES", "build"),
    "rule": ("derive",),
    "chart": ("__call__",),
}
"""What an object of a kind has at least."""


def _known(kind: str) -> dict[str, str]:
    return {**{name: point.value for name, point in _outside(kind).items()}, **_BUILT_IN[kind]}


@cache
def _outside(kind: str) -> dict[str, EntryPoint]:
    """Return the plug-ins of a kind, by name; none of them is imported."""
    return {point.name: point for point in entry_points(group=f"archsim.{kind}") if point.name not in _BUILT_IN[kind]}


def names(kind: str) -> list[str]:
    """Return the known names of a kind ("device", "chip", "layer", "rule", "chart"), sorted."""
    return sorted(_known(kind))


def load(kind: str, name: str) -> Any:
    """Import and return what is registered under `name`.

    A package outside archsim registers with an entry point in the group `archsim.KIND`; built-in names win.

    Raises
    ------
    InputError
        If the name is unknown; with the nearest known one. If a plug-in cannot be imported or is no such thing.
    """
    known = _known(kind)
    if name not in known:
        raise InputError(key=kind, value=name, expected=f"one of {', '.join(sorted(known))}", hint=nearest(name, known))
    if (point := _outside(kind).get(name)) is not None:
        return _plugged(kind, point)
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)


def each(kind: str, use: Callable[[Any], Any] = lambda found: found) -> dict[str, Any]:
    """Return name -> what `use` makes of it, for all of a kind; a plug-in that fails is told in a line and left out.

    Parameters
    ----------
    kind : str
    use : function, optional
        Called with what is registered. What fails in a built-in one is raised.
    """
    made = {}
    for name in names(kind):
        try:
            made[name] = use(load(kind, name))
        except Exception as error:
            if name not in _outside(kind):
                raise
            said = str(error) if isinstance(error, InputError) else f"plug-in {name}: failed with {_line(error)}"
            _LOG.warning("archsim: note: left out: %s", said)
    return made


def _plugged(kind: str, point: EntryPoint) -> Any:
    where = f"plug-in {point.name} (archsim.{kind}: {point.value}{f' of {point.dist.name}' if point.dist else ''})"
    try:
        found = point.load()
        if hasattr(found, "model_rebuild"):  # models of files are finished on first use: too late to leave it out
            found.model_rebuild()
    except Exception as error:
        raise InputError(f"{where} cannot be loaded: {_line(error)}", hint="Mend or uninstall it") from error
    if missing := [name for name in _NEEDED[kind] if not hasattr(found, name)]:
        raise InputError(f"{where} lacks {', '.join(missing)}", expected=f"what a {kind} of archsim has")
    return found


def _line(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}")[1:-1]

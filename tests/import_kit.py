"""Imported networks in tests: where other people's models lie, and what a network of ours makes of an input."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base.streams import Streams
from archsim.learning.functions import words
from archsim.learning.images.depthwise import Depthwise
from archsim.learning.images.windows import Windows
from archsim.learning.moves import AppendOne
from archsim.networks.file import NetworkFile
from archsim.networks.graph import Product
from archsim.networks.imports.draft import Draft
from archsim.networks.network import Network


def folder(package: str, *parts: str) -> Path | None:
    """Return a folder of an installed package, which is not imported; None where it is not there."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(next(iter(found.submodule_search_locations))).joinpath(*parts)
    return path if path.is_dir() else None


def network(draft: Draft, **more: Any) -> Network:
    """Return the network of what was read, with its initial values."""
    told = {"inputs": draft.inputs, "initial_std": "he", "layers": draft.content(), "loss": draft.loss, **more}
    return NetworkFile.model_validate(told).build().starting(draft.arrays)


def linear(draft: Draft) -> Draft:
    """Return a draft without the softmax that was added to it, and with a loss that any end has."""
    if any("softmax was added" in note for note in draft.notes):
        draft.layers[-1]["activation"] = "linear"
    draft.loss = "squared"
    return draft


def passed(net: Network, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return what a network gives for samples (samples, ...), channels last, in 32 bits and without a chip."""
    streams = Streams(1)
    weights, values = net.initial_weights(streams), dict(net.initial_parameters(streams))
    values["x"] = np.asarray(x, np.float32).reshape(-1, net.graph.tensors["x"].shape[-1])
    for node in net.graph.nodes:
        what = (node.inference or node).what
        taken = [values[name] for name in (node.inference or node).inputs]
        if isinstance(what, Product):
            weight = weights[what.matrix]
            values[node.output] = taken[0] @ (weight.T if what.transposed else weight)
        else:
            values[node.output] = what(*taken)
    name, _ = net.inference.results[0]
    return values[name].reshape(len(x), *net.graph.tensors[name].shape)


def macs(net: Network) -> int:
    """Return the multiply-accumulates of the products of a sample, without those of biases, of depthwise windows too.

    A bias is a row of its matrix, so that archsim counts it as one.
    """
    graph = net.graph
    made = {node.output: node.what for node in graph.nodes}
    found = sum(graph.macs().values())
    for node in graph.nodes:
        if isinstance(node.what, Product) and _biased(made.get(node.inputs[0])):
            found -= words(graph.tensors[node.output].shape)
        if isinstance(node.what, Depthwise):
            found += node.what.cost.multiplies
    return found


def _biased(before: object) -> bool:
    return isinstance(before, AppendOne) or (isinstance(before, Windows) and "and one" in before.name)


def channels_last(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return samples of images (samples, channels, rows, columns) with channels last, others as they are."""
    return np.moveaxis(x, 1, -1) if x.ndim == 4 else x


def trained(net: Network, feeds: Mapping[str, np.ndarray[Any, Any]], words: int) -> Any:
    """Return the 32-bit chip that trained a network a step."""
    from network_kit import Times

    from archsim.base import registry
    from archsim.chips import architecture as architectures
    from archsim.chips.execute import training_step

    room = {("digital_unit", "buffer_words"): str(words), ("mac_array", "operand_words"): "1000000"}
    parsed = architectures.parse(architectures.document("digital32-deep", room))
    made = registry.load("chip", parsed.chip).start(parsed, net, Times(), Streams(3), samples=1)
    made.run(training_step(made, net, dict(feeds), 0.01))
    return made

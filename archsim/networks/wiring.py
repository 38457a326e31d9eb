"""From a list of layers to a graph: what each layer takes, and what is wrong where it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archsim.base.errors import ModelError, nearest
from archsim.networks.builder import Builder
from archsim.networks.faults import within
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


def built(layers: Sequence[Layer], builder: Builder, first: tuple[str, Tensor], reserved: Sequence[str]) -> Tensor:
    """Add layers to a graph, from a tensor on, known to them by a name, and return the last one's result.

    Raises
    ------
    ModelError
        If names or shapes do not fit; its place begins with the number of the layer.
    """
    results, last = dict([first]), first[1]
    for number, layer in enumerate(layers):
        with within(number):
            if layer.name in (*results, *reserved):
                raise ModelError(
                    f"a layer is named {layer.name!r}; expected a name that nothing else has", at=("name",)
                )
            last = results[layer.name] = layer.build(builder, _taken(layers, number, results, last))
    return last


def home(layers: Sequence[Layer], name: str) -> int | None:
    """Return the number of the layer that has a matrix, a parameter or a part of that name; None without one."""
    mine = [
        (len(layer.name), number)
        for number, layer in enumerate(layers)
        if name == layer.name or name.startswith((f"{layer.name}.", f"{layer.name}-"))
    ]
    return max(mine)[1] if mine else None


def _taken(layers: Sequence[Layer], number: int, results: Mapping[str, Tensor], last: Tensor) -> list[Tensor]:
    """Return what a layer takes: the results that it names, or the one before."""
    layer = layers[number]
    for place, name in enumerate(layer.of or ()):
        if name not in results:
            raise ModelError(_missing(layers, number, name, results), at=("of", place))
    found = [last] if layer.of is None else [results[name] for name in layer.of]
    if layer.TAKES is not None and len(found) != layer.TAKES:
        raise ModelError(f"{layer.name} ({layer.kind}) takes {len(found)} results; expected {layer.TAKES}", at=("of",))
    if layer.TAKES is None and len(found) < 2:
        raise ModelError(
            f"{layer.name} ({layer.kind}) takes one result; expected two or more, named in `of`",
            at=("of",) if layer.of else (),
        )
    return found


def _missing(layers: Sequence[Layer], number: int, name: str, results: Mapping[str, Tensor]) -> str:
    """Return why a layer cannot take a result: no layer gives it, a later one does, or they wait for each other."""
    layer, known = layers[number], ", ".join(results)
    later = next((k for k, each in enumerate(layers) if each.name == name), None)
    if later is None:
        hint = nearest(name, results)
        return (
            f"{layer.name} takes {name!r}, which no layer gives; expected one of {known}{f'. {hint}' if hint else ''}"
        )
    if way := _way(layers, later, number):
        return f"a loop: {layer.name} takes {' takes '.join(layers[k].name for k in way)}; expected one of {known}"
    return (
        f"{layer.name} reads the result of {name} before it is written: {name} is layers[{later}], behind it; "
        f"expected one of {known}"
    )


def _way(layers: Sequence[Layer], begin: int, end: int) -> list[int]:
    """Return the layers by which one takes, as their `of` say, the result of another; empty if it does not."""
    numbers = {layer.name: number for number, layer in enumerate(layers)}
    ways, seen = [[begin]], {begin}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        for number in (numbers[name] for name in layers[way[-1]].of or () if name in numbers):
            if number not in seen:
                seen.add(number)
                ways.append([*way, number])
    return []

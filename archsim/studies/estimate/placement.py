"""Where the matrices of a network go: tiles of each, how full they are, and which matrices to lay down twice."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from archsim.base.errors import DoesNotFitError
from archsim.chips.crossbars.crossbar import CrossbarChip
from archsim.studies.estimate.spec import EstimateSpec


@dataclass(order=True, slots=True)
class _Offer:
    """More groups of tiles for a matrix: the time that they save a tile, negative so that the best comes first."""

    worth: float
    matrix: str = field(compare=False)
    groups: int = field(compare=False)


def vectors(spec: EstimateSpec) -> dict[str, tuple[list[int], list[int]]]:
    """Return matrix -> vectors of each product and of each transposed product in a training step."""
    found: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in spec.network.graph.matrices}

    for program in spec.network.training:
        for call in program.calls:
            if call.verb in {"multiply", "multiply_transposed"}:
                tensor = program.tensors[call.inputs[0]]
                positions = tensor.words // tensor.shape[-1]
                found[str(call.target)][call.verb != "multiply"].append(positions * spec.batch)
    return found


def balanced(spec: EstimateSpec, chip: CrossbarChip, tiles: int) -> dict[str, int]:
    """Return how many groups of tiles each matrix gets, so that a step's products take the least time on so many tiles.

    The next groups go to whichever matrix then saves the most time a tile, as long as tiles are left: products of
    different matrices are done one after the other, so what each saves adds up. They are as many as it takes to save
    anything: five vectors need as long on four groups as on three. (Greedy: the best for tiles that could be halved;
    the last few tiles may stay without use.)

    Raises
    ------
    DoesNotFitError
        If the network alone takes more tiles.
    """
    each = {name: layer.grid.tiles for name, layer in chip.state.items()}
    free = tiles - sum(each.values())
    if free < 0:
        raise DoesNotFitError(
            f"the network takes {sum(each.values())} tiles: {-free} more", key="--tiles",
            expected=f"{sum(each.values())} or more",
        )  # fmt: skip
    asked, twins = vectors(spec), dict.fromkeys(each, 1)

    def time(name: str, count: int) -> int:
        forward, backward = chip.forward[name], chip.backward[name]
        return sum(forward.hold_ps(-(-v // count)) for v in asked[name][0]) + sum(
            backward.hold_ps(-(-v // count)) for v in asked[name][1]
        )

    def offers(name: str) -> Iterator[_Offer]:
        """Yield the next groups of a matrix that save time, if there are any."""
        took = time(name, twins[name])
        for count in range(twins[name] + 1, max(map(max, filter(None, asked[name])), default=0) + 1):
            if (saved := took - time(name, count)) > 0:
                more = count - twins[name]
                yield _Offer(-saved / (more * each[name]), name, more)
                return

    best = [offer for name in each for offer in offers(name)]
    heapq.heapify(best)
    while best:
        offer = heapq.heappop(best)
        if (taken := offer.groups * each[offer.matrix]) > free:
            continue
        twins[offer.matrix] += offer.groups
        free -= taken
        for following in offers(offer.matrix):
            heapq.heappush(best, following)
    return {name: count for name, count in twins.items() if count > 1}


def placed(chip: CrossbarChip) -> list[dict[str, object]]:
    """Return where each matrix lies, as JSON has it: its bands of rows and columns, groups, and how full tiles are."""
    tile = chip.architecture.tile
    return [
        {
            "matrix": name,
            "rows": [band.size for band in layer.grid.rows],
            "columns": [band.size for band in layer.grid.columns],
            "groups": chip.tiles[name][0][0].twins,
            "filled": sum(band.size for band in layer.grid.rows)
            * sum(band.size for band in layer.grid.columns)
            / (layer.grid.tiles * tile.rows * tile.columns),
        }
        for name, layer in chip.state.items()
    ]

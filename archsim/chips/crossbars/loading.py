"""The cells of a chip's arrays by grid position, loaded with the weights that a training begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from archsim.analog.cells import Cells
from archsim.base.arrays import F32
from archsim.base.streams import Streams
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.chips.fitting.placement import Grid, place, shapes_in_tiles
from archsim.devices.base import Device
from archsim.networks.network import Network

C = TypeVar("C", bound=Cells)


def load_cells(
    kind: Callable[..., C], device: Device, architecture: CrossbarArchitecture, network: Network, streams: Streams
) -> dict[str, tuple[Grid, list[list[C]]]]:
    """Place a network on tiles and load its initial weights; return layer -> its grid, the cells by grid position.

    Parameters
    ----------
    kind : class of cells
        Called with the device, the shape and the keywords scale, streams, name and drift_tolerance.
    """
    tile, weight = architecture.tile, architecture.weight
    initial = network.initial_weights(streams)
    found = {}
    shapes = shapes_in_tiles(network, architecture.feedback.at)
    for name, grid in place(shapes, rows=tile.rows, columns=tile.columns).items():
        unit = weight.unit_of(network.graph.matrices[name].initial_std)
        found[name] = grid, loaded(kind, device, architecture, initial[name], name=name, unit=unit, streams=streams)
    return found


def loaded(
    kind: Callable[..., C], device: Device, architecture: CrossbarArchitecture, initial: F32, *, name: str,
    unit: float, streams: Streams,
) -> list[list[C]]:  # fmt: skip
    """Return the cells of one array by grid position, loaded with its initial weights; `unit` [S] is a weight of 1."""
    tile, tolerance = architecture.tile, architecture.weight.drift_tolerance
    grid = place({name: initial.shape}, rows=tile.rows, columns=tile.columns)[name]
    cells = [
        [
            kind(
                device, (row.size, column.size), scale=unit, streams=streams, name=f"{name}/{r},{c}",
                drift_tolerance=tolerance,
            )
            for c, column in enumerate(grid.columns)
        ]
        for r, row in enumerate(grid.rows)
    ]  # fmt: skip
    for line, row in zip(cells, grid.rows, strict=True):
        for one, column in zip(line, grid.columns, strict=True):
            one.load(np.ascontiguousarray(initial[row.part, column.part]), 0)
    return cells

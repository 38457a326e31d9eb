"""`archsim device` from Python: models of one memory device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.devices.fit import Fit
    from archsim.devices.library import Listed
    from archsim.studies.device import DeviceStudy


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped devices."""
    from archsim.devices.library import shipped_devices

    return shipped_devices()


def show(name: str) -> Sequence[Listed]:
    """Return every number of a device, by name, file or model, with its basis and source."""
    from archsim.devices.library import find_device, numbers

    return numbers(find_device(name))


def study(name: str, *, out: str | Path | None = None, devices: int = 100_000, seed: int = 1) -> DeviceStudy:
    """Sample a device (`device show --plot`); with `out`, draw the figures there."""
    from archsim.devices.library import find_device
    from archsim.report.studies.device import make
    from archsim.studies.device import study as sample

    done = sample(find_device(name), devices=devices, seed=seed)
    if out:
        make(done, Path(out))
    return done


def fit(
    file: str | Path, out: str | Path, *, bins: int = 20, least: int = 30, unit: str | None = None,
    plot: str | Path | None = None, force: bool = False,
) -> Fit:  # fmt: skip
    """Fit a table device to measured pulses and write its file and its table; return the fit.

    `unit` is that of conductances whose columns name none; with `plot`, figures are drawn there.
    """
    from archsim.devices import fit as fitting
    from archsim.devices import measured

    pulses = measured.read_pulses(Path(file), unit=unit)
    made = fitting.fit(pulses, bins=bins, least=least)
    written, _ = fitting.write(made, Path(out), Path(file), force=force)
    if plot:
        from archsim.report.studies.fit import make
        from archsim.studies.device import study as sample

        make(made, pulses, sample(written), Path(plot))
    return made

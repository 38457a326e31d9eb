"""`archsim.meter`: what a training loop in PyTorch would cost on chips (extras `torch`, `aihwkit`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

from archsim.base.errors import InputError, nearest

if TYPE_CHECKING:
    from archsim.api.run import Run
    from archsim.studies.meter.meter import Metering
    from archsim.studies.meter.recorder import Recorder
    from archsim.studies.meter.torch_loop import Loop

Chips = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


class Meter:
    """Counts the loop inside its `with`, and prices it as a run of archsim. Made by `archsim.meter`."""

    def __init__(self, model: Any, options: Mapping[str, Any], *, every: int, name: str | None) -> None:
        self._model, self._options, self._every = model, options, every
        self._name = _named(name or type(model).__name__)
        self._loop: Loop | None = None
        self._metering: Metering | None = None
        self._lost: list[str] = []

    # --- the loop -----------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        """Put hooks into the model."""
        from archsim.studies.meter.torch_loop import Loop

        if self._loop is not None:
            raise InputError("was used already", key="meter", expected="a new archsim.meter(model) for each loop")
        loop = Loop(self._model, self._begin, self._met, every=self._every)
        loop.enter()
        self._loop = loop
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the hooks out, whatever happened; what was counted stays."""
        if self._loop is not None:
            self._loop.leave()
        if self._metering is not None:
            self._metering.forget()  # what was written last is counted now

    def test(self, value: float, metric: str = "accuracy", *, chance: float | None = None) -> None:
        """Tell a test of the model as it is now: a value of the metric, which the meter cannot know.

        Parameters
        ----------
        value : float
            Such as 0.97 of the accuracy.
        metric : str
            Name of one of archsim's metrics.
        chance : float, optional
            What guessing gives.

        Raises
        ------
        InputError
            If nothing has passed the model yet, the metric is not known, or the value is none of it.
        """
        self._done.test(value, metric, chance)

    # --- results ------------------------------------------------------------------------------------------------------
    @property
    def energy(self) -> dict[str, dict[str, float]]:
        """Energy [J] of all training steps so far, by chip and phase, "total" among them."""
        return self._told().energy()

    def summary(self) -> dict[str, Any]:
        """Return energy [J] and time [s] of a sample by chip and phase, ratios, and what was measured and assumed."""
        return self._told().summary()

    def write(self, out: str | Path) -> Run:
        """Write the loop as a run directory, which `report`, `compare`, `explain --no-reruns` and `load` read.

        Raises
        ------
        InputError
            If no step was taken, the loop diverged, no test was told, or the directory is in use.
        """
        from archsim.api.run import Run
        from archsim.runs import owner

        folder = Path(out).expanduser()
        owner.check(folder)
        done = self._told()
        with owner.owned(folder):
            done.write(folder)
        return Run(folder)

    def page(self, out: str | Path) -> Path:
        """Write the loop as a run directory with its page, in place of `write`; return the page."""
        return self.write(out).page()

    def __repr__(self) -> str:
        """Return the joules and seconds of a sample, chip by chip."""
        from archsim.base.units import show

        if self._metering is None or not self._metering.recorder.samples:
            return f"Meter({self._name}): no step yet"
        try:
            found = self.summary()
        except InputError as error:
            return f"Meter({self._name}): {error}"
        lines = [f"Meter({found['name']}): {found['steps']:,} steps, {found['samples']:,} samples"]
        for name, chip in found["architectures"].items():
            energy, time = chip["energy_per_sample_J"]["total"], chip["latency_per_sample_s"]["total"]
            lines.append(f"  {name:24} {show(energy, 'J'):>12} a sample {show(time, 's'):>12} a sample")
        return "\n".join([*lines, *(f"  {line}" for line in found["told"])])

    # --- parts --------------------------------------------------------------------------------------------------------
    @property
    def _done(self) -> Metering:
        if self._metering is None:
            raise InputError(
                "nothing has passed the model yet", key="meter", expected="model(x) inside the `with`, and then this"
            )
        return self._metering

    def _told(self) -> Metering:
        found = self._done
        found.told = [*self._lost, *(self._loop.origins if self._loop else [])]
        return found

    def _begin(self, example: Any) -> tuple[Recorder, Mapping[str, str]]:
        """Read the model at its first pass."""
        from archsim.networks.imports.torch.export import reader
        from archsim.studies.meter.meter import Asked, Metering
        from archsim.studies.meter.twin import twin

        found = reader(twin(self._model), example)
        draft = found.read()
        draft.arrays.clear()
        draft.missing.clear()
        if not found.homes:
            raise InputError(
                f"{type(self._model).__name__} has no layer on tiles", key="model",
                expected="nn.Linear or nn.Conv2d, or aihwkit's AnalogLinear or AnalogConv2d",
            )  # fmt: skip
        asked = Asked(self._name, **{**self._own(), **self._options})
        self._metering = Metering(asked, draft, int(example.shape[0]))
        known = self._metering.recorder.layers
        return self._metering.recorder, {matrix: name for matrix, name in found.homes.items() if matrix in known}

    def _own(self) -> dict[str, Any]:
        """Return the chips of a model that says itself what its tiles are: of the first of its analog layers."""
        from archsim.studies.aihwkit.dump import whole
        from archsim.studies.aihwkit.mapping import tiles_alone
        from archsim.studies.meter.meter import ARCHITECTURES
        from archsim.studies.meter.twin import is_analog

        analog = next((each for each in self._model.modules() if is_analog(each)), None)
        if analog is None or "archs" in self._options:
            return {}
        config = whole(next(analog.analog_tiles()).rpu_config)
        found = tiles_alone(config, ARCHITECTURES[0], "rpu-config")
        self._lost = [f"tiles and converters of the model's rpu_config; not mapped: {'. '.join(found.lost)}"]
        return {"archs": [found.architecture, *ARCHITECTURES[1:]]}

    def _met(self, optimiser: Any) -> None:
        from archsim.studies.meter.optimisers import described

        self._done.met(described(optimiser))


def meter(
    model: Any, *, arch: Chips | None = None, tech: str | Sequence[str] = "bottom-up-14nm",
    settings: Sequence[str] | Mapping[str, Any] = (), over: str | None = None, loss: str | None = None, every: int = 1,
    name: str | None = None,
) -> Meter:  # fmt: skip
    """Count a training loop in PyTorch as if its layers lay on tiles, and on other chips beside.

    ```python
    with archsim.meter(model, arch=("mixed-precision", "digital32")) as m:
        for x, y in loader:
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
        m.test(accuracy_of(model))
    print(m)
    m.page("reports/mine")
    ```

    Parameters
    ----------
    model : torch.nn.Module
        Called as model(x), samples first. Its nn.Linear, nn.Conv2d, nn.LSTM, nn.GRU, nn.RNN and nn.MultiheadAttention,
        and aihwkit's AnalogLinear and AnalogConv2d, lie on tiles; activations, norms and pools are digital.
    arch : architectures, by name, file or content
        By default mixed-precision-deep and digital32-deep, the former with the tiles and converters of the model's
        rpu_config, if its layers are analog; made as large as the network takes.
    tech : technologies; the first is the run's own
    settings : as for `archsim.resolve`
    over : str, optional
        Architecture over which the others are compared, by default the first digital one.
    loss : str, optional
        squared, cross-entropy or binary-cross-entropy, whose error a digital unit works out; by default the one that
        suits the model's last layer.
    every : int
        Look at the operands of one step in so many, and compare weights as often.
    name : str, optional
        Of the run, by default the model's class.

    Returns
    -------
    Meter

    Raises
    ------
    InputError
        Here or in the loop: PyTorch is not installed, the model cannot be read, a layer or an optimiser is one that
        archsim has nothing for, or a step was taken whose passes were not seen.
    """
    try:
        import torch
    except ImportError:
        raise InputError(
            "needs PyTorch, which is not installed", key="meter", hint="pip install 'archsim[torch]'"
        ) from None
    if not isinstance(model, torch.nn.Module):
        raise InputError(key="model", value=type(model).__name__, expected="a torch.nn.Module")
    if not isinstance(every, int) or every < 1:
        raise InputError(key="every", value=every, expected="a whole number from 1 on")
    from archsim.networks.losses import LossName

    if loss is not None and loss not in (losses := get_args(LossName)):
        raise InputError(key="loss", value=loss, expected=f"one of {', '.join(losses)}", hint=nearest(loss, losses))
    options: dict[str, Any] = {
        "techs": [tech] if isinstance(tech, str) else list(tech), "settings": settings, "over": over, "loss": loss,
    }  # fmt: skip
    if arch is not None:
        options["archs"] = [arch] if isinstance(arch, str | Mapping) else list(arch)
    return Meter(model, options, every=every, name=name)


def _named(text: str) -> str:
    """Return a name that files can have."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "model"

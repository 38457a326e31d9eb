"""Hooks in a training loop of PyTorch (extra `torch`, or `aihwkit`): what passes its layers goes to a recorder.

A pass begins where the model is called. Inputs are seen by hooks of its layers, errors by hooks of their results, a
step when an optimiser of its parameters has stepped. A pass whose errors never came is one of evaluation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

from archsim.base.errors import InputError
from archsim.chips.crossbars.in_array import weight_steps
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.chips.crossbars.mixed_precision_file import MixedPrecisionArchitecture
from archsim.studies.meter.in_place import FROM_OPERANDS, Stepped, sends_trains
from archsim.studies.meter.recorder import Pass, Recorder
from archsim.studies.meter.watched import Watched, array, watched
from archsim.studies.meter.writes import Accumulated, Changed, ChangedEitherWay, Writes, pair_steps

Begin = Callable[[Any], "tuple[Recorder, Mapping[str, str]]"]
"""Takes an example of the model's input; returns the recorder, and matrix -> path of the parameter it lies in."""
Met = Callable[[Any], None]
"""Is shown the optimiser at the first step."""
_METERED: weakref.WeakSet[Any] = weakref.WeakSet()


class Loop:
    """Hooks in a model.

    Parameters
    ----------
    model : torch.nn.Module
    begin : called at the first pass
    met : called at the first step
    every : int
        Steps of which one is looked at; weights are compared as often.
    """

    def __init__(self, model: Any, begin: Begin, met: Met, *, every: int) -> None:
        self.model, self.step = model, 0
        self.recorder: Recorder | None = None
        self._weights: dict[str, Watched] = {}
        self._writes: dict[str, dict[str, Writes]] = {}
        self._begin, self._met, self._every = begin, met, every
        self._handles: list[Any] = []
        self._passes: list[Pass] = []
        self._now: Pass | None = None
        self._stepping = False
        self._own = {id(each) for each in model.parameters()}

    # --- on and off ---------------------------------------------------------------------------------------------------
    def enter(self) -> None:
        """Put hooks into the model and beside all optimisers.

        Raises
        ------
        InputError
            If another meter is in the model.
        """
        from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

        if any(each in _METERED for each in self.model.modules()):
            raise InputError("a meter is in this model already", key="model", expected="one meter at a time")
        _METERED.add(self.model)
        self._handles = [
            self.model.register_forward_pre_hook(self._called, with_kwargs=True),
            self.model.register_forward_hook(self._passed),
            register_optimizer_step_pre_hook(self._steps),
            register_optimizer_step_post_hook(self._stepped),
        ]

    def leave(self) -> None:
        """Take all hooks out."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        _METERED.discard(self.model)
        self._evaluate(self._passes)
        self._passes = []
        if self.recorder is not None and self.step:
            self.recorder.wrote(self._written())

    # --- hooks --------------------------------------------------------------------------------------------------------
    def _called(self, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Begin a pass; at the first, look at the model."""
        del model
        if len(args) != 1 or kwargs or not hasattr(args[0], "shape") or args[0].dim() < 2:
            told = f"{len(args)} arguments and {len(kwargs)} by name" if len(args) != 1 or kwargs else type(args[0])
            raise InputError(key="model", value=told, expected="one tensor, samples first: model(x)")
        x = args[0].detach()
        recorder = self.recorder = self.recorder or self._look(x)
        self._stepping = False
        self._now = Pass(recorder, int(x.shape[0]))
        recorder.given(array(x))

    def _look(self, x: Any) -> Recorder:
        """Have the model read, and put hooks into its layers."""
        import torch

        recorder, homes = self._begin(x if x.shape[0] > 1 else torch.cat([x, x]))
        rows = {matrix: recorder.spec.network.shapes[matrix][0] for matrix in homes}
        each_of = watched(dict(self.model.named_modules()), homes, rows)
        self._weights = {matrix: each for each in each_of for matrix in each.rows}
        self._writes = _counters(recorder, self._weights)
        for each in each_of:
            self._handles += each.hook(lambda: (self._now, self.step % self._every == 0))
        for matrix, each in self._weights.items():
            for writes in self._writes[matrix].values():
                writes.begin(matrix, each.weights(matrix))
        return recorder

    def _passed(self, model: Any, args: Any, output: Any) -> None:
        """End a pass: one without gradients is over, others wait for their step."""
        del model, args
        one, self._now = self._now, None
        if one is None:
            return
        if getattr(output, "requires_grad", True):
            self._passes.append(one)
        else:
            self._evaluate([one])

    def _steps(self, optimiser: Any, args: Any, kwargs: Any) -> None:
        """Refuse a step of what the meter did not see."""
        del args, kwargs
        if self._stepping or not self._mine(optimiser):
            return
        if not any(one.returned for one in self._passes) and self._has_gradients(optimiser):
            raise InputError(
                "a step whose passes the meter did not see", key="optimizer.step()",
                expected="forward, backward and step inside the `with`, the model called as model(x)",
            )  # fmt: skip

    def _stepped(self, optimiser: Any, args: Any, kwargs: Any) -> None:
        """Count a step. An optimiser inside another one steps once for both."""
        del args, kwargs
        done = [one for one in self._passes if one.returned]
        if self.recorder is None or not done or not self._mine(optimiser):
            return
        if self.step == 0:
            self._met(optimiser)
        self._evaluate([one for one in self._passes if not one.returned])
        looked = self.step % self._every == 0
        self.recorder.step(done, self._written() if looked else {}, rate=_rate(optimiser), looked=looked)
        self._passes, self._stepping = [], True
        self.step += 1

    # --- parts --------------------------------------------------------------------------------------------------------
    def _written(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Return what was written since the last look, chip -> matrix -> pairs and pulses."""
        written: dict[str, dict[str, tuple[float, float]]] = {}
        for matrix, each in self._weights.items():
            now = each.weights(matrix) if self._writes[matrix] else []
            found: dict[int, tuple[float, float]] = {}
            for chip, writes in self._writes[matrix].items():
                if id(writes) not in found:
                    found[id(writes)] = writes.step(matrix, now)
                written.setdefault(chip, {})[matrix] = found[id(writes)]
        return written

    def _evaluate(self, passes: list[Pass]) -> None:
        for one in passes:
            if self.recorder is not None:
                self.recorder.evaluated(one, looked=any(each.by_tag for each in one.sums.values()))

    def _mine(self, optimiser: Any) -> bool:
        return any(id(each) in self._own for group in optimiser.param_groups for each in group["params"])

    @staticmethod
    def _has_gradients(optimiser: Any) -> bool:
        return any(each.grad is not None for group in optimiser.param_groups for each in group["params"])

    @property
    def origins(self) -> list[str]:
        """How writes were counted, each way once."""
        trains = self.recorder is not None and any(map(sends_trains, self.recorder.spec.architectures))
        found = [each.origin for of in self._writes.values() for each in of.values()]
        return list(dict.fromkeys([*found, *([FROM_OPERANDS] * trains)]))


def _counters(recorder: Recorder, modules: Mapping[str, Watched]) -> dict[str, dict[str, Writes]]:
    """Return matrix -> chip -> what counts its writes."""
    network, changed, either_way = recorder.spec.network, Changed(), ChangedEitherWay()
    own: dict[str, Writes] = {}
    for chip in recorder.spec.architectures:
        if isinstance(chip, MixedPrecisionArchitecture):
            own[chip.name] = Accumulated(pair_steps(chip, network))
        elif isinstance(chip, InArrayArchitecture) and chip.transfer is not None:
            own[chip.name] = Accumulated(weight_steps(chip, network))
        elif isinstance(chip, InArrayArchitecture) and not sends_trains(chip):
            own[chip.name] = Stepped(chip, network)
    analog: dict[str, Writes] = {
        name: either_way if isinstance(writes, Stepped) else changed for name, writes in own.items()
    }
    return {matrix: analog if each.analog else own for matrix, each in modules.items()}


def _rate(optimiser: Any) -> float:
    return float(optimiser.param_groups[0]["lr"])

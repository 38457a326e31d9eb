"""What workers do for a study of rules: some steps at a learning rate, or a whole training with what it wore."""

from __future__ import annotations

from typing import Any

import numpy as np

from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.runs.run import check_fit, check_prices
from archsim.runs.train import Trained, Trainer
from archsim.studies.endurance import KINDS, limit_of
from archsim.studies.sweeps.counts import trained
from archsim.studies.workers.parcel import Parcel, unpacked

Content = dict[str, Any]


def trial(parcel: Parcel) -> Content:
    """Train for some steps and return the running metric over the last half of them; nothing is tested.

    Each sample is judged before it is learnt, so in a first pass through the training data all are new to the chip. The
    mean is over the last 1,000 samples at most.

    Returns
    -------
    dict
        score: the mean, None if the training diverged; reason: how it did.
    """
    with unpacked(parcel) as spec:
        check_fit(spec)
        trainer = Trainer(spec, spec.architectures[0])
        check_prices(spec, [trainer])
        late = -(-trainer.steps // 2)
        try:
            trainer.train(trainer.steps)
        except InputError as error:  # it diverged
            return {"score": None, "reason": error.message or str(error)}
        score = trainer.recent(late)
        return {"score": score if np.isfinite(score) else None, "reason": ""}


def training(parcel: Parcel) -> Content:
    """Train to the end, with tests on the way.

    Returns
    -------
    dict
        Content of `Counts`; further `course`, a list a test of step, samples, metric, time [s] and the amount of each
        of the rows; `wear`, what `wear` returns, or None of a chip without devices.
    """
    with unpacked(parcel) as spec:
        check_fit(spec)
        trainer = Trainer(spec, spec.architectures[0])
        check_prices(spec, [trainer])
        one = trainer.run()
        content = trained(one).content()
        return {**content, "course": course(one), "wear": wear(trainer)}


def course(one: Trained) -> list[list[Any]]:
    """Return the tests of a training: step, samples, metric, simulated time [s], and the amounts of its ledger then.

    The amounts are those of the rows of training steps, in the order of the ledger at the end.
    """
    keys = [(row.phase, row.layer, row.component, row.action) for row in one.rows if row.phase in STEP_PHASES]
    found = []
    for point in one.points:
        if point.test is not None:
            told = {(row.phase, row.layer, row.component, row.action): row.amount for row in point.rows}
            amounts = [told.get(key, 0) for key in keys]
            found.append([point.step, point.samples, point.test, point.simulated_time_s, amounts])
    return found


def wear(trainer: Trainer) -> Content | None:
    """Return the pulses of a trained chip's devices.

    Returns
    -------
    dict or None
        devices: how many, references among them, without those that do not wear; pulses: kind -> all that they got;
        most: the most pulses of all kinds that one device got; place: its tile; worn: of the device that is worn most,
        pulses over what its file says it endures, None where that says nothing; basis: of that.
    """
    arrays = trainer.chip.arrays()
    names = [name.removesuffix("/shape") for name in arrays if name.endswith("/shape")]
    tiles = {
        name: {kind: np.asarray(arrays[f"{name}/{kind}"]).astype(np.int64) for kind in KINDS}
        for name in names if f"{name}/{KINDS[0]}" in arrays
    }  # fmt: skip
    if not tiles:
        return None
    whole = {name: sum(kinds.values(), np.zeros(1, np.int64)) for name, kinds in tiles.items()}
    hot = max(whole, key=lambda name: int(whole[name].max()))
    worn, basis = None, ""
    for kind in KINDS:
        limit = limit_of(kind, trainer.architecture)
        if limit is not None:
            share = max(int(kinds[kind].max()) for kinds in tiles.values()) / limit.pulses
            worn, basis = max(worn or 0.0, share), limit.basis
    return {
        "devices": sum(each.size for each in whole.values()),
        "pulses": {kind: sum(int(kinds[kind].sum()) for kinds in tiles.values()) for kind in KINDS},
        "most": int(whole[hot].max()), "place": hot, "worn": worn, "basis": basis,
    }  # fmt: skip

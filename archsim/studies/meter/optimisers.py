"""Optimisers of PyTorch and of aihwkit as a workload says them."""

from __future__ import annotations

from typing import Any

from archsim.base.errors import InputError

ADAM = {"Adam", "AdamW"}


def described(optimiser: Any) -> dict[str, Any]:
    """Return an optimiser as `training.optimiser` has it, by the first of its groups.

    What archsim's have not is left out: a weight decay other than AdamW's, Nesterov's momentum, AMSGrad.

    Raises
    ------
    InputError
        If archsim has none like it.
    """
    kinds = {each.__name__ for each in type(optimiser).__mro__}
    group = optimiser.param_groups[0]
    if kinds & ADAM:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        decay = float(group["weight_decay"]) if "AdamW" in kinds else 0.0
        return {"kind": "adam", "beta1": beta1, "beta2": beta2, "epsilon": float(group["eps"]), "decay": decay}
    if "SGD" in kinds:
        momentum = float(group.get("momentum") or 0.0)
        return {"kind": "momentum", "momentum": momentum} if momentum else {"kind": "sgd"}
    raise InputError(
        "archsim has no optimiser like it", key="optimizer", value=type(optimiser).__name__,
        expected="SGD, with momentum or without, Adam or AdamW",
    )  # fmt: skip

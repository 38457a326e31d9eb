"""archsim: what it costs, in joules and in seconds, to train a network on an in-memory-computing chip.

Every command of the command line is a function of its name here (`run`, `explain`, `compare`, ...) or in
`archsim.api`, where `report` and `data` are, whose names packages have; `load` opens a run directory as a `Run`.
`resolve` and `execute` are the two halves of `run`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.accounting.technology import read_technology
    from archsim.api import (
        Run,
        ablate,
        archs,
        compare,
        costs,
        device,
        endurance,
        estimate,
        explain,
        from_torch,
        hold,
        load,
        meter,
        reproduce,
        resume,
        rules,
        run,
        schema,
        search,
        sweep,
        tech,
        trace,
        validate,
        verify,
        workloads,
    )
    from archsim.base.errors import ArchsimError, DataError, DoesNotFitError, InputError, ModelError
    from archsim.report import make as make_report
    from archsim.runs.run import execute
    from archsim.runs.spec import RunSpec, resolve
    from archsim.runs.summary import Summary

    __version__: str

_COMMANDS = (
    "Run", "ablate", "archs", "compare", "costs", "device", "endurance", "estimate", "explain", "from_torch", "hold",
    "load", "meter", "reproduce", "resume", "rules", "run", "schema", "search", "sweep", "tech", "trace", "validate",
    "verify", "workloads",
)  # fmt: skip
_ERRORS = ("ArchsimError", "DataError", "DoesNotFitError", "InputError", "ModelError")
_HOMES = {
    **dict.fromkeys(_COMMANDS, "archsim.api"), **dict.fromkeys(_ERRORS, "archsim.base.errors"),
    "RunSpec": "archsim.runs.spec", "Summary": "archsim.runs.summary", "execute": "archsim.runs.run",
    "make_report": "archsim.report:make", "read_technology": "archsim.accounting.technology",
    "resolve": "archsim.runs.spec",
}  # fmt: skip

__all__ = [
    "ArchsimError",
    "DataError",
    "DoesNotFitError",
    "InputError",
    "ModelError",
    "Run",
    "RunSpec",
    "Summary",
    "ablate",
    "archs",
    "compare",
    "costs",
    "device",
    "endurance",
    "estimate",
    "execute",
    "explain",
    "from_torch",
    "hold",
    "load",
    "make_report",
    "meter",
    "read_technology",
    "reproduce",
    "resolve",
    "resume",
    "rules",
    "run",
    "schema",
    "search",
    "sweep",
    "tech",
    "trace",
    "validate",
    "verify",
    "workloads",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `import archsim` stays quick."""
    if name == "__version__":
        return import_module("importlib.metadata").version("archsim")
    if name not in _HOMES:
        raise AttributeError(f"module 'archsim' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute or name)

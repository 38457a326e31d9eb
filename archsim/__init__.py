"""archsim: what it costs, in joules and in seconds, to train a network on an in-memory-computing chip.

The public names: `run` trains a workload on chips and returns its summary; `resolve` and `execute` are its two halves;
`make_report` draws a run directory; `read_technology` and `Summary` for what the names say.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.accounting.technology import read_technology
    from archsim.base.errors import ArchsimError, DataError, DoesNotFitError, InputError, ModelError
    from archsim.report import make as make_report
    from archsim.runs.run import execute, run
    from archsim.runs.spec import RunSpec, resolve
    from archsim.runs.summary import Summary

__version__ = version("archsim")

_HOMES = {
    "ArchsimError": "archsim.base.errors", "DataError": "archsim.base.errors",
    "DoesNotFitError": "archsim.base.errors", "InputError": "archsim.base.errors", "ModelError": "archsim.base.errors",
    "RunSpec": "archsim.runs.spec", "Summary": "archsim.runs.summary", "execute": "archsim.runs.run",
    "make_report": "archsim.report:make", "read_technology": "archsim.accounting.technology",
    "resolve": "archsim.runs.spec", "run": "archsim.runs.run",
}  # fmt: skip

__all__ = [
    "ArchsimError",
    "DataError",
    "DoesNotFitError",
    "InputError",
    "ModelError",
    "RunSpec",
    "Summary",
    "execute",
    "make_report",
    "read_technology",
    "resolve",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `import archsim` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'archsim' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute or name)

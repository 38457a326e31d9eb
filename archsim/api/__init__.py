"""Everything that the command line does, from Python: one function a command, under the command's name.

`run` and `reproduce` train and return a `Run`; `load` opens the directory of one that was done. Nothing is printed:
what a command prints is returned. Groups of commands are the modules `tech`, `archs`, `workloads`, `data` and `device`.
"""

from archsim.api import archs, data, device, tech, workloads
from archsim.api.doing import ablate, costs, estimate, reproduce, resume, run, schema, sweep, validate
from archsim.api.meter import Meter, meter
from archsim.api.reading import compare, endurance, explain, hold, load, report, trace, verify
from archsim.api.rules import rules
from archsim.api.run import Run
from archsim.api.search import search
from archsim.api.workloads import from_torch

__all__ = [
    "Meter",
    "Run",
    "ablate",
    "archs",
    "compare",
    "costs",
    "data",
    "device",
    "endurance",
    "estimate",
    "explain",
    "from_torch",
    "hold",
    "load",
    "meter",
    "report",
    "reproduce",
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

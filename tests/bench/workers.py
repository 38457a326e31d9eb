"""What a study on two processes takes beside the sum of its points, and what a worker's start takes: `make bench`.

A study's time is counted from before its pool is opened to its last file. The points are compared with themselves twice:
with the seconds that each took in its worker, and with those that all take one after the other in one process that has
done such a point before. Other programs that compute at the same time make all of it wrong: the load is printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archsim.runs.run import train_all
from archsim.runs.spec import resolve
from archsim.runs.summarise import summarise
from archsim.studies.workers.finished import finished
from archsim.studies.workers.points import run_points
from archsim.studies.workers.pool import pool

POINTS, PROCESSES, STEPS = 24, 2, 2000
"""Points; processes; steps of a point, about a second."""
TINY = 100
"""Tasks of next to nothing, for what sending one takes."""


def points() -> dict[str, dict[str, Any]]:
    options = {"workload": "mlp-mnist", "archs": ("mixed-precision",), "settings": ("dataset=mnist-5k",)}
    return {f"seed {seed}": {**options, "steps": STEPS, "seed": seed} for seed in range(1, POINTS + 1)}


def study(folder: Path, label: str) -> tuple[float, float]:
    """Do the study; return its time and the sum of its points' own [s]."""
    ends: list[float] = []
    begin = time.perf_counter()
    run_points(points(), folder, on=f"processes:{PROCESSES}", done=lambda *_: ends.append(time.perf_counter() - begin))
    wall = time.perf_counter() - begin
    kept = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    own = sorted(each["seconds"] for each in kept)
    print(f"  {label}: {wall:.2f} s; first point after {ends[0]:.2f} s, last {ends[-1] - ends[-2]:.2f} s after the one before;"
          f" {len({each['by'] for each in kept})} processes; a point {own[0]:.2f} to {own[-1]:.2f} s, median"
          f" {own[len(own) // 2]:.2f}")  # fmt: skip
    return wall, sum(own)


def alone() -> float:
    """Return how long all points take one after the other in this process, but for the first [s]."""
    spent = []
    for options in (*points().values(), next(iter(points().values()))):
        begin = time.perf_counter()
        spec = resolve(**options)
        summarise(spec, train_all(spec), 0.0)
        spent.append(time.perf_counter() - begin)
    return sum(spent[1:])


def interpreter(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def start_up() -> None:
    bare, ready = interpreter("pass"), interpreter("import archsim.studies.workers.ready")
    print(f"  an interpreter {bare:.2f} s; with all that is imported {ready:.2f} s: once a program, not once a worker")
    begin = time.perf_counter()
    with pool(f"processes:{PROCESSES}", most=TINY) as workers:
        came = finished(((str(k), (os.getpid, ())) for k in range(TINY)), workers)
        next(came)
        first = time.perf_counter() - begin
        middle = time.perf_counter()
        for _ in came:
            pass
        each = (time.perf_counter() - middle) / (TINY - 1)
    print(
        f"  a pool whose workers can be forked answers after {first * 1e3:.0f} ms; sending a task takes {each * 1e3:.2f} ms"
    )


def main() -> None:
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    print(
        f"\nA study of {POINTS} points of {STEPS} steps on {PROCESSES} processes; {cores} cores, load before {load:.2f}"
    )
    with TemporaryDirectory() as name:
        cold = study(Path(name) / "cold", "the first study of a program")
        warm = study(Path(name) / "warm", "a later one")
    sum_alone = alone()
    for label, (wall, own) in (("first", cold), ("later", warm)):
        taken = wall * PROCESSES
        print(f"  {label}: time x processes {taken:.2f} s; over the points' own {own:.2f} s: {taken / own:.3f}; over those of"
              f" one process alone, {sum_alone:.2f} s: {taken / sum_alone:.3f}")  # fmt: skip
    start_up()
    print(f"  load after {os.getloadavg()[0]:.2f}; {PROCESSES} would be this study's own")


if __name__ == "__main__":
    main()

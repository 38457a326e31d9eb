"""A run as an object: its numbers as tables, its charts as figures, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import registry
from archsim.base.frames import read_csv
from archsim.base.units import show
from archsim.records.recorded import Recorded
from archsim.records.seeds import read

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from archsim.accounting.intervals import Intervals
    from archsim.records.compare import Comparison
    from archsim.records.timeline import Timeline
    from archsim.records.verify import Verification
    from archsim.studies.endurance import Worn
    from archsim.studies.explain.explain import Explanation


class Run:
    """A run directory, read and checked once; or a folder of seeds, as their mean.

    Parameters
    ----------
    path : path
        The run directory. Tables of a folder of seeds hold the rows of all, with a column "seed".

    Raises
    ------
    InputError
        If it holds no run with results, or its files contradict each other.
    """

    def __init__(self, path: str | Path) -> None:
        self.recorded: Recorded = read(Path(path).expanduser())

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.recorded.path

    @property
    def summary(self) -> dict[str, Any]:
        """Content of summary.json."""
        return self.recorded.summary

    @property
    def energy(self) -> pd.DataFrame:
        """energy.csv: amount x figure = energy, a row an action, phase, layer, chip and technology."""
        return self._table("energy.csv")

    @property
    def activity(self) -> pd.DataFrame:
        """activity.csv: amounts, a row an action, phase, layer and chip."""
        return self._table("activity.csv")

    @property
    def training(self) -> pd.DataFrame:
        """training.csv: the metric (running, and at tests), simulated time [s] and energy [J] over the steps."""
        return self._table("training.csv")

    @property
    def area(self) -> pd.DataFrame:
        """area.csv: the area of every part, chip and technology [m^2]."""
        return self._table("area.csv")

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        if seeds := self.recorded.seeds:
            tables = [read_csv(each.path / name).assign(seed=each.summary["seed"]) for each in seeds]
            return pd.concat(tables, ignore_index=True)
        return read_csv(self.path / name)

    @property
    def intervals(self) -> Intervals | None:
        """The 90 % intervals of every energy, time and area under the run's own technology; None without ranges."""
        from archsim.records.intervals import known

        return known(self.recorded)

    # --- questions ------------------------------------------------------------------------------------------------
    def compare(self, *others: Run | str | Path, **options: Any) -> Comparison:
        """Set this run beside another one, or its technologies or chips beside each other; see `reading.compare`."""
        from archsim.api.reading import compare

        return compare(self, *others, **options)

    def explain(self, **options: Any) -> Explanation:
        """Say what the ratio of its chips is made of; see `reading.explain`."""
        from archsim.api.reading import explain

        return explain(self, **options)

    def verify(self, **options: Any) -> Verification:
        """Do the run again and compare bit for bit; see `reading.verify`."""
        from archsim.api.reading import verify

        return verify(self, **options)

    def hold(self, duration: str = "90d", **options: Any) -> dict[str, Any]:
        """Test its chips while their devices drift; see `reading.hold`."""
        from archsim.api.reading import hold

        return hold(self, duration, **options)

    def endurance(self, **options: Any) -> list[Worn]:
        """Count the pulses of every device; see `reading.endurance`."""
        from archsim.api.reading import endurance

        return endurance(self, **options)

    def trace(self, **options: Any) -> Timeline:
        """Do some steps again and return their time line; see `reading.trace`."""
        from archsim.api.reading import trace

        return trace(self, **options)

    # --- reports --------------------------------------------------------------------------------------------------
    def figures(self) -> dict[str, Figure]:
        """Return every chart of a report by name, drawn anew."""
        from archsim.report import style

        with style.applied():
            return style.charts(self.recorded)

    def figure(self, name: str) -> Figure:
        """Return one chart of a report: "energy", "latency", "metric", "contributions", "area".

        Raises
        ------
        InputError
            If there is no such chart.
        """
        from archsim.report import style

        with style.applied():
            drawn: Figure = registry.load("chart", name)(self.recorded)
        return drawn

    def report(self, out: str | Path | None = None, *, rule: str | None = None) -> list[Path]:
        """Write charts and tables into a folder, by default RUN/report; return the files. `rule` scales its figures."""
        from archsim.report import make

        return make(self.path, out, rule=rule)

    def page(self, out: str | Path | None = None, *, techs: Sequence[str] = (), rule: str | None = None) -> Path:
        """Write one HTML page with a slider for every figure, by default RUN/report/report.html; return it."""
        from archsim.report.page.page import write

        return write(self.path, out, techs=techs, rule=rule)

    def paper(self, out: str | Path | None = None, *, techs: Sequence[str] = (), rule: str | None = None) -> list[Path]:
        """Write the paper kit, by default into RUN/paper; return the files."""
        from archsim.report.paper.paper import make_paper

        return list(make_paper(self.path, out, techs, rule=rule).files)

    # --- at a glance ----------------------------------------------------------------------------------------------
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (
                name, show(chip["energy_per_step_J"]["total"], "J"), show(chip["latency_per_step_s"]["total"], "s"),
                self.recorded.metric.text(chip["test"]),
            )
            for name, chip in self.summary["architectures"].items()
        ]  # fmt: skip

    def _head(self) -> str:
        summary = self.summary
        return (
            f"{summary['workload']} on {summary['dataset']}, seed {summary['seed']}, {summary['steps']:,} steps, "
            f"{summary['state']}; {self.recorded.technology}"
        )

    def __repr__(self) -> str:
        lines = [f"Run({str(self.path)!r})", f"  {self._head()}"]
        lines += [f"  {a:20} {b:>12} a step {c:>12} a step   {d}" for a, b, c, d in self._rows()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        heads = "".join(f"<th>{head}</th>" for head in ("chip", "energy a step", "time a step", "test"))
        return f"<p>{escape(self._head())}</p><table><tr>{heads}</tr>{cells}</table>"

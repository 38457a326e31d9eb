"""Reports: charts and tables from a run directory alone; builds no chip and prices nothing."""

from archsim.report.make import make

__all__ = ["make"]

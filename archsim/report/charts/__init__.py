"""One chart a file, each with `draw(run)`; registered in `archsim.base.registry` under "chart"."""

"""Print pip constraints that hold every dependency of archsim at the lowest version that pyproject.toml allows."""

import re
import tomllib
from pathlib import Path


def lowest(project: Path) -> list[str]:
    """Return a line a core dependency: name==lowest version."""
    wanted = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    pairs = (re.fullmatch(r"([\w.-]+)>=([\w.]+)", each) for each in wanted)
    return [f"{pair[1]}=={pair[2]}" for pair in pairs if pair]


if __name__ == "__main__":
    print("\n".join(lowest(Path(__file__).resolve().parents[1] / "pyproject.toml")))

"""Dump an rpu_config as JSON where aihwkit is installed and archsim is not: the script of the package, by its place.

python tools/dump_rpu_config.py my_config.py:RPU_CONFIG > my_config.json
"""

from __future__ import annotations

import runpy
from pathlib import Path

runpy.run_path(
    str(Path(__file__).resolve().parents[1] / "archsim" / "studies" / "aihwkit" / "dump.py"), run_name="__main__"
)

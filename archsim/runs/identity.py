"""What a run is: the hashes of all that decides its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from archsim.runs.layout import SCHEMA

if TYPE_CHECKING:
    from archsim.runs.spec import RunSpec


def point_key(spec: RunSpec) -> str:
    """Return the hash of everything that decides a run's numbers, the program's version included."""
    content = {
        "archsim": version("archsim"), "schema": SCHEMA, "seed": spec.seed, "dataset": spec.dataset.sha256,
        "workload": spec.workload.model_dump(mode="json"),
        "architectures": [architecture.model_dump(mode="json") for architecture in spec.architectures],
        "files": sorted(spec.inputs.values()),
        "technologies": [technology.sha256 for technology in spec.technologies],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def identity(run: Mapping[str, Any]) -> str:
    """Return the hash of what decided a run's numbers, as its run.yaml tells: a state belongs to one such hash."""
    content = {key: run.get(key) for key in ("seed", "inputs", "workload", "architectures")}
    content["dataset"] = (run.get("dataset") or {}).get("sha256")
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

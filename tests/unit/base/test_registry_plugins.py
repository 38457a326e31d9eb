"""A plug-in that is broken is told in a line, and nothing else is."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from archsim.base import registry
from archsim.base.errors import InputError


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Register plug-ins: one that cannot be imported, one that is no chart, one that fails, and one that works."""
    (tmp_path / "broken_plugin.py").write_text("import no_such_module\n")
    (tmp_path / "odd_plugin.py").write_text(
        "number = 3\ndef fails(run):\n    raise ZeroDivisionError('x' * 100_000)\ndef works(run):\n    return run\n"
    )
    (tmp_path / "shapeless_plugin.py").write_text(
        "from archsim.base.yamlfile import Record\nclass Odd(Record):\n    part: 'Nowhere'\n    def __call__(self): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    values = {"broken": "broken_plugin:draw", "odd": "odd_plugin:number", "fails": "odd_plugin:fails",
              "gone": "odd_plugin:nothing", "shapeless": "shapeless_plugin:Odd", "works": "odd_plugin:works"}  # fmt: skip

    def points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in values.items()]

    monkeypatch.setattr(registry, "entry_points", points)
    registry._outside.cache_clear()
    monkeypatch.setitem(registry._BUILT_IN, "chart", {})
    yield
    registry._outside.cache_clear()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken", r"plug-in broken \(archsim.chart: broken_plugin:draw\) cannot be loaded: ModuleNotFoundError"),
        ("gone", "plug-in gone .* cannot be loaded: AttributeError"),
        ("shapeless", "plug-in shapeless .* cannot be loaded: PydanticUndefinedAnnotation"),
        ("odd", "plug-in odd .* lacks __call__; expected what a chart of archsim has"),
    ],
)
def test_a_broken_plug_in_is_named(plugged: None, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        registry.load("chart", name)


def test_what_works_is_used_beside_what_is_broken(plugged: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert registry.each("chart", lambda draw: draw(5)) == {"works": 5}
    assert len(caplog.messages) == 5
    for name, message in zip(("broken", "fails", "gone", "odd", "shapeless"), caplog.messages, strict=True):
        assert message.startswith(f"archsim: note: left out: plug-in {name}")
        assert len(message.splitlines()) == 1
        assert len(message) < 400


def test_no_plug_in_is_imported_to_know_its_name(plugged: None) -> None:
    sys.modules.pop("odd_plugin", None)
    assert "works" in registry.names("chart")
    assert "odd_plugin" not in sys.modules

"""The registry: every name leads somewhere, plug-ins by the same door."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from archsim.base import registry
from archsim.base.errors import InputError

KINDS = ("device", "chip", "chart")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def outside(group: str) -> list[EntryPoint]:
        return [
            EntryPoint("foreign", "archsim.devices.ideal:Ideal", group),
            EntryPoint("pcm", "collections:deque", group),
        ]

    monkeypatch.setattr(registry, "entry_points", outside)
    registry._outside.cache_clear()
    yield
    registry._outside.cache_clear()


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in registry.names(kind)])
def test_every_entry_loads(kind: str, name: str) -> None:
    assert callable(registry.load(kind, name))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_lists_the_known_ones(kind: str) -> None:
    with pytest.raises(InputError) as caught:
        registry.load(kind, "zzz")
    assert str(caught.value) == f"{kind}: got 'zzz'; expected one of {', '.join(registry.names(kind))}"


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'digital32'"):
        registry.load("chip", "digital23")


@pytest.mark.usefixtures("plugins")
def test_a_plug_in_is_known_by_its_entry_point_and_built_in_names_win() -> None:
    assert "foreign" in registry.names("device")
    assert registry.load("device", "foreign").__name__ == "Ideal"
    assert registry.load("device", "pcm").__name__ == "Pcm"

"""A page of archsim's in a real Chromium: opened, listened to, and its controls moved as a user moves them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needed = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, chromium-browser or google-chrome")
MOVE = (
    "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true}));"
    " node.dispatchEvent(new Event('change', {bubbles: true})); }"
)
"""What a user's hand does to a control."""


@contextmanager
def started() -> Iterator[Any]:
    """Yield a browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0)
        yield found
        found.close()


class Page:
    """A page that is open, with all that it said and asked for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.tab = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.address = address
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.goto(address)
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def close(self) -> None:
        """Close it; it has asked for nothing but itself, said nothing, and no text that it shows did any harm."""
        harm = self.tab.evaluate("window.harm")
        self.tab.close()
        assert harm is None
        assert [each for each in self.asked if not each.startswith("blob:")] == [self.address]
        assert self.said == []

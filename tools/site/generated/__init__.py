"""Pages of the site that are made from the program: commands, files, figures, checks, the order of the packages.

`pages` are whole pages by their place in the site. `PARTS` are pieces that a page of docs/ asks for by a line of its
own, `<!-- generated: NAME -->`. Nothing here holds a number: all are read where the program reads them.
"""

from __future__ import annotations

from collections.abc import Callable

from generated import checks, commands, devices, files, house, packaged, technologies

PARTS: dict[str, Callable[[], str]] = {
    "assumed": technologies.assumed,
    "boundary": packaged.boundary,
    "checks": checks.contents,
    "devices": devices.contents,
    "exit-codes": commands.exit_codes,
    "files": files.contents,
    "layers": house.layers,
    "misses": checks.misses,
    "non-idealities": devices.effects,
    "scaling": technologies.rules,
    "shipped": packaged.contents,
    "summary": checks.summary,
    "technologies": technologies.contents,
}
"""Name in a page's line -> what stands there."""


def pages() -> dict[str, str]:
    """Return place in the site -> Markdown, in the order of the navigation."""
    return {**commands.pages(), **files.pages(), **technologies.pages(), **devices.pages(), **packaged.pages()}

"""Where a number comes from: the part of the schema that technology and device files share."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from archsim.base.yamlfile import Record

PLACEHOLDER = "TODO:"
"""What the text of a skeleton begins with where something is to be filled in."""
Basis = Literal["measured", "published", "derived", "calibrated", "assumed"]


class Provenance(Record):
    """Basis and source of one number.

    A published, measured or derived number names its `source` (a key of references.bib) and the place in it (`where`);
    a measured one may name a file of own `data` in place of a source. An assumed one says `why`.
    """

    basis: Basis
    source: str | list[str] | None = None
    data: str | None = None
    where: str | None = None
    why: str | None = None
    derived_by: str | None = None
    note: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of references.bib."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source or ())

    @property
    def named(self) -> str:
        """The sources, or the file of own data, as one text; empty if there is neither."""
        return ", ".join(self.sources) or self.data or ""

    @model_validator(mode="after")
    def _complete(self) -> Provenance:
        for name in ("source", "data", "where", "why", "derived_by", "note"):
            if PLACEHOLDER in str(getattr(self, name) or ""):
                raise ValueError(f"`{name}` is still a placeholder; expected it filled in, or left out")
        if self.data is not None and (self.basis != "measured" or self.source):
            raise ValueError("`data` is a file of own measurements; expected basis measured, and no `source` beside it")
        if self.basis in ("measured", "published", "derived") and not ((self.source or self.data) and self.where):
            raise ValueError(f"basis is {self.basis!r} but `source` or `where` is missing; expected both")
        if self.basis == "derived" and not self.derived_by:
            raise ValueError("basis is 'derived' but `derived_by` is missing; expected how it was derived")
        if self.basis == "assumed" and not self.why:
            raise ValueError("basis is 'assumed' but `why` is missing; expected the reason")
        return self

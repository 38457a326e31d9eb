"""Text from a stranger's file stays text: in BibTeX, in tables, in errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.base.bibtex import Reference, read_references
from archsim.base.errors import InputError
from archsim.base.files import no_formula
from archsim.report.paper.sources import bibliography


@pytest.mark.parametrize(
    "payload",
    [r"\write18{rm}", r"\input{/etc/passwd}", r"\csname x\endcsname", r"\openin1", r"\catcode`\%", r"\def\a{}"],
)
@pytest.mark.parametrize("field", ["title", "note", "url", "author"])
def test_a_command_of_tex_in_a_source_is_text(payload: str, field: str) -> None:
    text = bibliography({"a": Reference("a", "misc", {field: f"x {payload}"}, Path("x.bib"), 1)})
    for command in ("write", "input", "csname", "endcsname", "openin", "catcode", "def"):
        assert f"\\{command}" not in text


def test_accents_and_signs_in_a_source_stay() -> None:
    text = bibliography({"a": Reference("a", "misc", {"author": r"G\"odel and Erd\H{o}s \& \o re"}, Path("x.bib"), 1)})
    for kept in (r"\"o", r"\H", r"\&", r"\o re"):
        assert kept in text


def test_a_key_with_a_command_is_refused(tmp_path: Path) -> None:
    (tmp_path / "references.bib").write_text("@misc{\\input, title = {x}}\n")
    with pytest.raises(InputError, match="references.bib:1: entry without a key"):
        read_references(tmp_path / "references.bib")


def test_a_cell_is_no_formula() -> None:
    assert no_formula("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert [no_formula(cell) for cell in ("-", "-1.5", "a=b", 3.0)] == ["-", "-1.5", "a=b", 3.0]


def test_no_error_quotes_a_value_of_many_letters() -> None:
    long = "x" * 100_000
    error = InputError(f"lacks {long}", key=long, value=long, expected=long, file=long, hint=long)
    assert len(str(error)) < 6000
    assert len(str(error).splitlines()) == 1

"""The paper kit: valid LaTeX as far as it can be told without TeX, embedded fonts, exactly the sources used."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from archsim.accounting.technology import read_technology
from archsim.base import files, registry
from archsim.base.bibtex import Reference, read_references
from archsim.base.errors import InputError
from archsim.records.recorded import read
from archsim.report import latex
from archsim.report.paper import methods, sources
from archsim.report.paper.paper import Kit, make_paper
from archsim.runs.run import execute
from archsim.runs.spec import resolve

CHARTS = [name for name in registry.names("chart") if name != "samples"]  # which only a generator's run has
KNOWN_COMMANDS = {
    "IfFileExists", "par", "sloppy",
    "author", "begin", "bibliography", "bibliographystyle", "bottomrule", "caption", "centering", "cite", "clearpage",
    "columnwidth", "date", "documentclass", "end", "extrafloats", "geq", "includegraphics", "input", "label",
    "maketitle", "midrule", "mu", "scriptsize", "section", "setlength", "tabcolsep", "textgreater", "textless",
    "textsuperscript", "texttt", "textwidth", "times", "title", "toprule", "usepackage", "textbar", "textasciicircum",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    settings = ("nonidealities.drift=false", "outer_product.error_bits=4")
    assert execute(resolve("mlp-mnist", steps=40, seed=3, settings=settings), out) is not None
    return out


@pytest.fixture(scope="module")
def kit(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return make_paper(run, tmp_path_factory.mktemp("paper") / "kit")


@pytest.fixture(scope="module")
def folder(kit: Kit) -> Path:
    return next(file for file in kit.files if file.name == "main.tex").parent


def latex_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.tex"))


def stripped(text: str) -> str:
    """LaTeX without comments and without escaped characters."""
    return re.sub(r"\\[%&_#${}]", "", re.sub(r"(?<!\\)%.*", "", text))


# --- the document -----------------------------------------------------------------------------------------------------
def test_braces_and_environments_are_balanced_and_no_special_character_is_bare(folder: Path) -> None:
    found = latex_files(folder)
    assert len(found) > 10
    for file in found:
        text = stripped(file.read_text())
        depth = 0
        for character in text:
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0, file
        assert depth == 0, file
        open_: list[str] = []
        for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", text):
            open_.append(name) if kind == "begin" else open_.remove(name)
        assert not open_, file
        assert text.count("$") % 2 == 0, file
        assert not re.search(r"[#^~]", text), file
        assert not re.search(
            r"_(?![^{]*\})", re.sub(r"\\(input|includegraphics(\[[^]]*\])?|label|cite)\{[^}]*\}", "", text)
        ), file
        assert set(re.findall(r"\\([A-Za-z]+)", text)) <= KNOWN_COMMANDS, file


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs a TeX installation")
def test_the_kit_compiles_and_nothing_leaves_the_page(folder: Path, tmp_path: Path) -> None:
    kit = shutil.copytree(folder, tmp_path / "kit")
    for command in (
        ("pdflatex", "-interaction=nonstopmode"),
        ("bibtex",),
        *[("pdflatex", "-interaction=nonstopmode")] * 2,
    ):
        done = subprocess.run([*command, "main"], cwd=kit, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (kit / "main.log").read_text(errors="replace")
    assert re.findall(r"^(?:!.*|.*undefined.*|Overfull .hbox.*)", log, re.MULTILINE) == []


def test_every_row_of_a_table_has_as_many_cells_as_the_table_has_columns(folder: Path) -> None:
    for file in (folder / "tables").iterdir():
        text = stripped(file.read_text())
        columns = re.search(r"\\begin\{tabular\}\{((?:[lr]|p\{[^}]*\})+)\}", text)
        assert columns, file
        count = len(re.findall(r"[lr](?![a-z])|p\{[^}]*\}|[lr](?=[lr])", re.sub(r"p\{[^}]*\}", "l", columns[1])))
        body = file.read_text().split(r"\toprule")[1].split(r"\bottomrule")[0]
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {count}, file


def test_the_main_document_includes_every_table_and_figure_and_nothing_that_is_not_there(folder: Path) -> None:
    text = (folder / "main.tex").read_text()
    inputs = re.findall(r"\\input\{([^}]*)\}", text)
    assert sorted(inputs) == sorted(["methods", *(f"tables/{file.stem}" for file in (folder / "tables").iterdir())])
    assert all((folder / f"{name}.tex").is_file() for name in inputs)
    drawn = re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", text)
    assert sorted(drawn) == sorted(f"figures/{name}-text.pdf" for name in CHARTS)
    assert all((folder / name).is_file() for name in drawn)
    assert (folder / f"{re.search(r'bibliography[{]([a-z]+)', text)[1]}.bib").is_file()  # type: ignore[index]
    labels = [label for file in latex_files(folder) for label in re.findall(r"\\label\{([^}]*)\}", file.read_text())]
    assert len(labels) == len(set(labels)) == len(inputs) - 1 + len(drawn)


def test_all_that_is_cited_is_in_the_bibliography_and_all_of_it_is_cited(folder: Path) -> None:
    cited = {
        key
        for file in latex_files(folder)
        for keys in re.findall(r"\\cite\{([^}]*)\}", file.read_text())
        for key in keys.split(",")
    }
    assert cited == set(read_references(folder / "sources.bib"))


def test_a_kit_is_the_same_bytes_twice(
    run: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "names", lambda _: ["latency"])  # one chart will do
    written = [path.relative_to(tmp_path / "again") for path in make_paper(run, tmp_path / "again").files]
    assert len(written) > 15
    for path in set(written) - {Path("main.tex")}:
        assert (tmp_path / "again" / path).read_bytes() == (folder / path).read_bytes(), path


# --- figures ----------------------------------------------------------------------------------------------------------
def test_every_figure_is_a_pdf_of_the_width_with_all_fonts_embedded(folder: Path) -> None:
    found = sorted((folder / "figures").iterdir())
    assert len(found) == 2 * len(CHARTS)
    for file in found:
        content = file.read_bytes()
        assert content.startswith(b"%PDF-")
        width = float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)[1])  # type: ignore[index]
        assert width == pytest.approx(72 * (3.5 if file.stem.endswith("-column") else 7.16), abs=0.01)
        assert b"/Type3" not in content
        fonts, embedded = (
            content.count(b"/FontDescriptor\n") + content.count(b"/Type /FontDescriptor"),
            content.count(b"/FontFile2"),
        )
        assert fonts == embedded > 0
        subtypes = set(re.findall(rb"/Subtype /(CIDFontType\w+|TrueType|Type[013]\b)", content))
        assert subtypes == {b"CIDFontType2", b"Type0"}


# --- sources ----------------------------------------------------------------------------------------------------------
def test_the_bibliography_has_exactly_the_entries_used_and_says_what_the_shipped_one_says(
    run: Path, folder: Path
) -> None:
    written = read_references(folder / "sources.bib")
    shipped = read_references(files.shipped("tech_params") / "references.bib")
    assert {"nandakumar2018", "cacti7"} <= set(written)
    assert "kull2017" in written  # of a time alone
    assert len(written) < len(shipped)
    for key, entry in written.items():
        assert (entry.kind, dict(entry.fields)) == (shipped[key].kind, dict(shipped[key].fields))
    energy = pd.read_csv(run / "energy.csv")
    counted = energy[energy.in_step & energy.inside_boundary & (energy.price_J_per_unit > 0)].source.dropna()
    assert {key for cell in counted for key in cell.split(", ")} <= set(written)


def test_sources_of_what_the_run_lacks_are_left_out(run: Path) -> None:
    found = sources.used(read(run))
    times = {time.name for time in found.priced[0].times}
    assert "programmer.read" in times
    assert not [
        name for name in read_technology("bottom-up-14nm").times if name.startswith("writer.") and name in times
    ]
    assert not [figure for figure in found.priced[0].figures if figure.name.startswith("writer.")]


def test_what_latex_would_choke_on_in_an_entry_is_escaped(tmp_path: Path) -> None:
    fields = {"title": "R&D of 5% chips_1", "author": "A Group (X) #1", "doi": "10.1/a_b", "note": r"already \_ done"}
    (tmp_path / "one.bib").write_text(sources.bibliography({"k": Reference("k", "misc", fields, tmp_path, 1)}))
    (entry,) = read_references(tmp_path / "one.bib").values()
    assert entry.fields["title"] == r"R\&D of 5\% chips\_1"
    assert entry.fields["note"] == r"already \_ done"
    assert entry.fields["doi"] == "10.1/a_b"
    assert "author = {{A Group (X) \\#1}}" in (tmp_path / "one.bib").read_text()


def test_the_table_of_figures_states_value_range_basis_and_source(folder: Path) -> None:
    figure = read_technology("bottom-up-14nm").figures["adc.conversion"]
    text = (folder / "tables/figures-bottom-up-14nm.tex").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("adc.conversion")]
    assert row == (
        rf"adc.conversion & 5.12 pJ & bits 8 (law per-2\textasciicircum{{}}bits) & 200 fJ & 41 pJ & measured & \cite{{{','.join(figure.origin.sources)}}} \\"
    )
    assumed = (folder / "tables/assumed-bottom-up-14nm.tex").read_text()
    assert read_technology("bottom-up-14nm").times["digital.cycle"].origin.why.split(",")[0][:30] in assumed  # type: ignore[union-attr]


# --- methods ----------------------------------------------------------------------------------------------------------
def test_the_methods_state_configuration_versions_seed_and_switches(run: Path, folder: Path) -> None:
    text, recorded = (folder / "methods.md").read_text(), yaml.safe_load((run / "run.yaml").read_text())
    for words in (
        "784-250-10", "mnist-5k, 4,000 + 1,000 of MNIST's training images", "40 steps of batch 1", "learning rate 0.3", "seed 3", "198,760 weights",
        "16 tiles of 256 × 256", "8 ADCs of 8 bit a tile", "4-bit errors", "8 uS for a weight of 1", "off: drift.",
        f"archsim {recorded['archsim']}", f"Python {recorded['python']}", f"numpy {recorded['packages']['numpy']}",
        recorded["technologies"][0]["sha256"][:12], "host link", "[@nandakumar2018]",
    ):  # fmt: skip
        assert words in text
    assert str(run) not in text
    assert not re.search(r"(?<![\w.])/\w+/", text)


def test_the_command_in_the_methods_repeats_the_run(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = methods.command(read(run)).split()
    assert words[:3] == ["archsim", "run", "mlp-mnist"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert (options["--steps"], options["--seed"], options["--out"]) == ("40", "3", "DIR")
    several = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    archs = tuple(words[place + 1] for place, word in enumerate(words) if word == "--arch")
    techs = tuple(words[place + 1] for place, word in enumerate(words) if word == "--tech")
    again = resolve("mlp-mnist", steps=40, seed=3, settings=tuple(several), archs=archs, techs=techs)
    stored = yaml.safe_load((run / "run.yaml").read_text())
    assert again.inputs == stored["inputs"]
    assert [a.model_dump(by_alias=True) for a in again.architectures] == stored["architectures"]


def test_the_origin_of_data_is_told_without_folders() -> None:
    assert methods.data_origin("MNIST, IDX files in /home/me/data/mnist") == "MNIST, IDX files"
    assert methods.data_origin("MNIST, IDX files in /home/me/data; the middle 20x20 pixels") == (
        "MNIST, IDX files; the middle 20x20 pixels"
    )
    assert methods.data_origin("the digits; MNIST was not found in /a or /b") == "the digits"


# --- bad input --------------------------------------------------------------------------------------------------------
def test_a_technology_that_prices_otherwise_now_is_refused_and_one_of_the_same_prices_noted(
    run: Path, tmp_path: Path
) -> None:
    mine = shutil.copytree(run, tmp_path / "mine")
    recorded = yaml.safe_load((mine / "run.yaml").read_text())
    shutil.rmtree(mine / "inputs")
    recorded["technologies"][0]["sha256"] = "0" * 64
    recorded["inputs"] = dict.fromkeys(recorded["inputs"], "0" * 64)
    (mine / "run.yaml").write_text(yaml.safe_dump(recorded))
    notes = sources.used(read(mine)).notes
    assert len(notes) == 2
    assert "has changed since the run, but prices all" in notes[0]
    assert "pcm-nandakumar2018.yaml has changed since the run" in notes[1]
    table = pd.read_csv(mine / "energy.csv")
    table.assign(price_J_per_unit=table.price_J_per_unit * 2).to_csv(mine / "energy.csv", index=False)
    with pytest.raises(InputError, match="energy_J: is .* expected .*, amount times price"):
        make_paper(mine)
    assert not (mine / "paper").exists()


def test_what_cannot_be_written_or_read_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out: .*but it is a file"):
        make_paper(run, tmp_path / "file")
    with pytest.raises(InputError, match="--tech: got 'other.yaml'; expected one this run was priced by"):
        make_paper(run, techs=("other.yaml",))
    mine = shutil.copytree(run, tmp_path / "mine")
    recorded = yaml.safe_load((mine / "run.yaml").read_text())
    (mine / "run.yaml").write_text(yaml.safe_dump({k: v for k, v in recorded.items() if k != "packages"}))
    with pytest.raises(InputError, match=r"run\.yaml: lacks something \('packages'\)"):
        make_paper(mine)


# --- text for LaTeX ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("14.35 uJ", r"14.35 $\mu$J"),
        ("784-250-10 units", "784-250-10 units"),
        (">= 1.5 mm^2", r"$\geq$ 1.5 mm\textsuperscript{2}"),
        ("a_b & 5 % {x}", r"a\_b \& 5 \% \{x\}"),
        ("<b>", r"\textless{}b\textgreater{}"),
    ],
)
def test_text_is_printed_in_latex_as_a_reader_expects(text: str, wanted: str) -> None:
    assert latex.latex_text(text) == wanted


def test_a_report_of_a_run_has_no_citations_without_a_bibliography(run: Path) -> None:
    text = latex.latex(read(run))
    assert r"\cite" not in text
    assert r"\label" not in text
    assert "-- &" in text or "& --" in text


def test_pdfs_hold_text_that_can_be_searched(folder: Path) -> None:
    content = (folder / "figures/energy-column.pdf").read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    unpacked = b"".join(zlib.decompress(s) for s in streams if s.startswith((b"x\x9c", b"x\xda")))
    assert b"/CIDInit" in unpacked or b"ToUnicode" in content
    assert b"Tj" in unpacked or b"TJ" in unpacked

"""The page of a run as a file: what stands in it, what does not, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from page_kit import HARM, STEPS, TOY, Made, embedded, make_run, of_one_chip

from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import read
from archsim.report.page import page as pages
from archsim.report.page.data import reference


class _Reader(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_run(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(made: Made) -> str:
    return pages.write(made.path).read_text(encoding="utf-8")


@pytest.fixture
def copy(made: Made, tmp_path: Path) -> Path:
    """A copy of the run and of its technology, to be changed."""
    shutil.copy(made.path.parent / "toy.yaml", tmp_path)
    return Path(shutil.copytree(made.path, tmp_path / "run"))


def energy(data: dict[str, Any], chip: str, technology: int) -> float:
    """Return a chip's energy per step [J] from the embedded data alone."""
    (found,) = (each for each in data["chips"] if each["name"] == chip)
    prices = data["technologies"][technology]["prices"][chip]
    phases = [
        math.fsum(
            amount * prices[entry]["price"]
            for phase, _, entry, amount in found["rows"]
            if phase == k and found["entries"][entry]["inside"]
        ) / found["steps"]
        for k in range(len(data["phases"]))
    ]  # fmt: skip
    return math.fsum(phases)


def test_the_embedded_amounts_and_prices_give_the_energies_of_the_run_to_the_last_bits(made: Made, text: str) -> None:
    data = embedded(text)
    assert data["phases"] == list(STEP_PHASES)
    for k, technology in enumerate(("bottom-up-14nm", "toy")):
        for chip, expected in made.energies(technology).items():
            assert energy(data, chip, k) == pytest.approx(expected, rel=1e-14)


def test_the_page_tells_what_ran_and_every_figure_with_range_and_source(made: Made, text: str) -> None:
    reader, technology = _Reader(text), made.spec.technologies[0]
    data = embedded(text)
    assert f"{STEPS:,} training steps of mlp-mnist" in reader.text
    assert data["run"]["seed"] == 1
    assert data["run"]["packages"]["numpy"]
    assert technology.sha256 in reader.text
    used = {figure["name"] for figure in data["technologies"][0]["figures"]}
    assert {"adc.conversion", "sram.read", "wire", "periphery.powered", "host.link"} <= used
    for name in used:
        figure = technology.figures[name]
        assert re.search(rf'<tr id="figure-\d+">\s*<th scope="row" class="word">{re.escape(name)}</th>', text)
        assert (figure.origin.where or figure.origin.why or "") in reader.text
        for key in figure.origin.sources:
            doi = technology.references[key].fields.get("doi")
            assert data["references"][key]["doi"] == (doi or "")
            assert not doi or f'href="https://doi.org/{doi}"' in text
    for time in technology.times.values():
        assert re.search(rf'<tr id="time-\d+">\s*<th scope="row" class="word">{re.escape(time.name)}</th>', text)
    for function in (*data["boundary"]["inside"], *data["boundary"]["outside"]):
        assert function in reader.text


def test_every_source_of_a_number_on_the_page_is_in_its_list_of_references(text: str) -> None:
    anchors = {attributes.get("id") for _, attributes in _Reader(text).tags}
    links = {a["href"][1:] for tag, a in _Reader(text).tags if tag == "a" and (a["href"] or "").startswith("#")}
    assert links
    assert links <= anchors


def test_hostile_words_stay_words(text: str) -> None:
    reader = _Reader(text)
    assert HARM in reader.text
    assert embedded(text)["run"]["dataset_origin"] == f"digits {HARM}"
    assert embedded(text)["technologies"][1]["title"] == f"A toy {HARM}"
    assert [tag for tag, _ in reader.tags].count("script") == 2
    assert not [tag for tag, _ in reader.tags if tag == "img"]
    assert text.count("</script") == 2


def test_the_page_asks_for_nothing_and_lets_no_other_script_run(text: str) -> None:
    tags = _Reader(text).tags
    policy = next(a["content"] or "" for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    script = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy
    assert [a["href"] for tag, a in tags if tag == "link"] == ["data:,"]
    assert not [a for _, a in tags if "src" in a or "srcset" in a]
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\b\s*\(|@import|url\((?!#)", script + text)


def test_the_same_run_gives_the_same_bytes_below_the_limit(made: Made, text: str, tmp_path: Path) -> None:
    again = pages.write(made.path, tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == text
    assert again.stat().st_size < 500_000
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".html"] == ["again.html"]


def test_a_page_that_would_be_too_large_is_refused_and_nothing_is_written(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LARGEST", 1000)
    monkeypatch.setattr(pages, "render", lambda *_: "x" * 1000)
    with pytest.raises(InputError, match=r"expected less than 0.001 MB. It has 2 technologies, 2 chips and \d+ eval"):
        pages.write(made.path, tmp_path / "large.html")
    assert not (tmp_path / "large.html").exists()


def test_a_hundred_technologies_share_what_is_the_same_and_stand_in_one_choice(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pages.page_data.content(read(made.path))
    toy = content["technologies"][1]
    for k in range(98):
        other = json.loads(json.dumps(toy)) | {"name": f"toy-{k}"}
        moved = next(figure for figure in other["figures"] if figure["name"] == "adc.conversion")
        moved["value"] *= 1.01**k
        for prices in other["prices"].values():
            for price in prices:
                price["price"] *= 1.01**k if price["figure"] == "adc.conversion" else 1.0
        content["technologies"].append(other)
        for course in content["training"]:
            course["energy_J"][other["name"]] = course["energy_J"]["toy"]
    monkeypatch.setattr(pages.page_data, "content", lambda *_: content)
    page = pages.write(made.path, tmp_path / "hundred.html").read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert len(re.findall(r"<option value=", page)) == 100
    embedded_technologies = embedded(page)["technologies"]
    for kind in ("figures", "times", "areas", "prices"):
        assert [each[kind] for each in embedded_technologies] == json.loads(
            json.dumps([each[kind] for each in content["technologies"]])
        )


def test_a_directory_in_the_place_of_the_file_is_refused(made: Made, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file, but it is a directory"):
        pages.write(made.path, tmp_path)


def test_a_file_that_is_no_page_of_archsim_is_left_alone(made: Made, tmp_path: Path) -> None:
    mine = tmp_path / "thesis.html"
    mine.write_text("months of work")
    with pytest.raises(InputError, match="expected a new file, or a page that archsim wrote"):
        pages.write(made.path, mine)
    assert mine.read_text() == "months of work"
    page = pages.write(made.path, tmp_path / "page.html")
    assert pages.write(made.path, page) == page


def test_a_technology_whose_words_have_changed_is_used_and_the_page_says_so(copy: Path) -> None:
    shutil.rmtree(copy / "inputs")
    (copy.parent / "toy.yaml").write_text(yaml.safe_dump(TOY | {"title": "Another title"}), encoding="utf-8")
    text = pages.render(read(copy))
    assert "has changed since the run, but prices all that the run did as it did then" in _Reader(text).text
    assert [each["note"] != "" for each in embedded(text)["technologies"]] == [False, True]


def test_a_further_technology_that_prices_otherwise_now_is_left_out_and_the_page_says_why(copy: Path) -> None:
    shutil.rmtree(copy / "inputs")
    changed = json.loads(json.dumps(TOY).replace('"50 pJ"', '"60 pJ"'))
    (copy.parent / "toy.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    text = pages.render(read(copy))
    assert [each["name"] for each in embedded(text)["technologies"]] == ["bottom-up-14nm"]
    assert "Technology toy is left out" in _Reader(text).text
    assert "adc.conversion gave 5e-11 J for tile.adc.convert, now 6e-11 J" in _Reader(text).text


def test_the_run_s_own_technology_must_price_it_as_it_was_priced(copy: Path, tmp_path: Path) -> None:
    text = (files.shipped("tech_params") / "bottom-up-14nm.yaml").read_text(encoding="utf-8")
    shutil.copy(files.shipped("tech_params") / "references.bib", tmp_path)
    other = tmp_path / "bottom-up-14nm.yaml"
    other.write_text(text.replace("value: 0.524 pJ/op", "value: 0.53 pJ/op"), encoding="utf-8")
    with pytest.raises(InputError, match="is not the file this run was priced by"):
        pages.render(read(copy), [str(other)])


def test_a_technology_elsewhere_is_found_where_it_is_said_to_be_and_a_stranger_is_refused(
    copy: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(copy / "inputs")
    (copy.parent / "toy.yaml").rename(elsewhere / "toy.yaml")
    assert len(embedded(pages.render(read(copy)))["technologies"]) == 1
    assert len(embedded(pages.render(read(copy), [str(elsewhere / "toy.yaml")]))["technologies"]) == 2
    with pytest.raises(InputError, match="expected one this run was priced by: bottom-up-14nm, toy"):
        pages.render(read(copy), ["stranger.yaml"])


def test_a_run_of_one_chip_has_a_page_without_a_ratio(copy: Path) -> None:
    of_one_chip(copy, "mixed-precision")
    data = embedded(pages.render(read(copy)))
    assert data["pairs"] == []
    assert [chip["name"] for chip in data["chips"]] == ["mixed-precision"]


def test_an_interrupted_run_says_so_and_an_accuracy_nobody_measured_is_none(copy: Path) -> None:
    run = read(copy)
    unknown = {
        name: replace(chip, course=tuple(replace(point, test=None) for point in chip.course))
        for name, chip in run.chips.items()
    }
    text = pages.render(replace(run, summary=run.summary | {"state": "partial"}, chips=unknown))
    assert "This run is partial: it was interrupted" in _Reader(text).text
    assert set(embedded(text)["training"][0]["test"]) == {None}


def test_a_reference_reads_as_a_sentence_and_keeps_its_doi_and_its_note(made: Made) -> None:
    references = made.spec.technologies[0].references
    found = reference(references["horowitz2014"])
    assert found["text"] == ("M. Horowitz. Computing's energy problem (and what we can do about it). IEEE ISSCC (2014)")
    assert found["doi"] == "10.1109/ISSCC.2014.6757323"
    assert found["note"].startswith("A tabulation of synthesis data")
    assert "\\" not in reference(references["neurosim2022"])["text"]

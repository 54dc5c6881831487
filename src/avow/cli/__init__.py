"""The `avow` command. `--version` is answered here, before anything else is loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line in `sys.argv` and exit with its status: 0 well, 1 an error, 2 wrong usage."""
    if sys.argv[1:] == ["--version"]:
        print_version()
        return
    from avow.cli.main import run

    sys.exit(run(sys.argv[1:]))


def print_version() -> None:
    """Print `avow` and the installed version."""
    from importlib.metadata import version

    print(f"avow {version('avow')}")

"""Every hole that is known how to plant, one after the other, each in front of a probe: which are not found.

python -m tests.campaigns.holes            all of them, in some minutes
python -m tests.campaigns.holes leaving    those that one family of probes has to find
"""

from __future__ import annotations

import sys

from tests.probing.test_holes import HOLES, find


def main(families: list[str]) -> int:
    """Plant them; the exit status is 1 if one was not found."""
    missed = 0
    for hole in HOLES:
        if families and hole.family not in families:
            continue
        try:
            find(hole)
        except AssertionError as error:
            missed += 1
            sys.stdout.write(f"not found: {hole.kind}\n  {error}\n")
    sys.stdout.write(f"{missed} holes were not found\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

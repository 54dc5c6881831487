"""Runs a target of `fuzz_policy` under atheris.

    python -m tests.campaigns.fuzz rules|files CORPUS [-max_total_time=600 -max_len=1500 ...]

CORPUS is a folder for the inputs that reach something new; what follows are options of libFuzzer. Atheris is the
dependency group `fuzz` of pyproject.toml (`pip install atheris`). A file that is left behind is an input that failed:
make a test of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["avow"]):
    from tests.campaigns import fuzz_policy


def main() -> None:
    """Fuzz one target."""
    name, corpus, *options = sys.argv[1:]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(fuzz_policy.seeds(name)):
        (folder / f"seed{number}").write_bytes(seed)
    dictionary = folder.with_suffix(".dict")
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in fuzz_policy.WORDS)
    dictionary.write_text("".join(f'"{word}"\n' for word in escaped))
    atheris.Setup([sys.argv[0], f"-dict={dictionary}", *options, corpus], fuzz_policy.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

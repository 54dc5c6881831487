"""`avow check`: every fault of a policy, and what holds each of its sentences."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avow.errors import PolicyError
from avow.language import Reading, read
from avow.language.rules import coverage
from avow.language.source import read_file
from avow.values import Diagnostic


def check(files: Sequence[Path], as_json: bool) -> int:
    """Check policy files; faults go to stderr, the summary to stdout. Returns 0, or 1 if a file has a fault."""
    results = [_check(file) for file in files]
    if as_json:
        print(json.dumps([_as_json(file, *result) for file, result in zip(files, results, strict=True)], indent=2))
    else:
        for file, (reading, faults) in zip(files, results, strict=True):
            _tell(file, reading, faults)
    return 1 if any(faults for _, faults in results) else 0


def _check(file: Path) -> tuple[Reading | None, Sequence[Diagnostic]]:
    try:
        reading = read(read_file(file)[1], str(file))
    except PolicyError as error:
        return None, error.diagnostics
    return reading, reading.diagnostics


def _tell(file: Path, reading: Reading | None, faults: Sequence[Diagnostic]) -> None:
    for fault in faults:
        print(f"{fault}\n", file=sys.stderr)
    if reading is not None:
        counts = ", ".join(f"{count} {name}" for name, count in coverage(reading).counts.items())
        print(f"{file}: {len(reading.sentences)} sentences ({counts}), {len(reading.rules)} rules")
    if faults:
        print(f"{file}: {len(faults)} error{'s' * (len(faults) != 1)}")
    else:
        print(f"{file}: no errors")


def _as_json(file: Path, reading: Reading | None, faults: Sequence[Diagnostic]) -> dict[str, Any]:
    held = coverage(reading) if reading else None
    names = ("enforced", "attested", "informational", "unbound")
    return {
        "file": str(file),
        "ok": not faults,
        "errors": [
            {"line": fault.line, "column": fault.column, "message": fault.message, "help": fault.help}
            for fault in faults
        ],
        "coverage": {name: list(getattr(held, name)) if held else [] for name in names},
        "sentences": len(reading.sentences) if reading else 0,
        "rules": len(reading.rules) if reading else 0,
    }

"""Commands of `avow` within this process: starting Python anew takes longer than most of them."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from avow.cli.main import run


class Said(NamedTuple):
    """What a command answered: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


def avow(*arguments: str | Path, typed: str = "") -> Said:
    """Run `avow` with some arguments; `typed` stands on its standard input."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.stdin", StringIO(typed))
        return Said(run([str(each) for each in arguments]), out.getvalue(), err.getvalue())

"""Reads a policy file from disk."""

from __future__ import annotations

from pathlib import Path

from avow.errors import PolicyError
from avow.values import Diagnostic


def read_file(path: Path) -> tuple[bytes, str]:
    """The bytes of a policy file and their text. Raises PolicyError if it cannot be read or is not UTF-8."""
    try:
        data = path.read_bytes()
        return data, data.decode("utf-8")
    except OSError as error:
        message, help = f"cannot read the policy: {error.strerror}", "check the path and its permissions"
    except UnicodeDecodeError as error:
        message, help = f"the policy is not UTF-8 text: byte {error.start} is wrong", "save the file as UTF-8"
    raise PolicyError((Diagnostic(str(path), 1, 1, 1, message, "", help),))

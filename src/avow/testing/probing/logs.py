"""Logs and exceptions: what was opened is in none of them, and no card number is.

A logger of its own stands at the end of each, as a service's handlers would. Nothing is opened past the policy for it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
import traceback
from collections.abc import Callable

from avow.errors import Refused
from avow.testing.canaries import Search, card_number, known
from avow.testing.probing.bench import Bench
from avow.testing.probing.saying import openable

_LOOK = "avow.edge.logs, avow.edge.guard; Site.open installs them"


def probe(bench: Bench) -> None:
    """Write what was opened wherever programs write."""
    found = next(openable(bench), None)
    if found is None:
        bench.report.without("what is opened, in logs", "the policy opens nothing without a condition")
    else:
        category, role, purpose = found
        search = bench.search(category, who="ann")
        with contextlib.suppress(Refused), bench.standin.site.acting(role, purpose) as work:
            text = getattr(bench.record(work), bench.standin.columns[category]).open()
            _write(bench, text, search, f"an opened text of `{category}`")
    number = card_number()
    _write(bench, number, Search({"card": known("card", number)}), "the number of a card")


def _write(bench: Bench, text: str, search: Search, what: str) -> None:
    ways: dict[str, Callable[[str], None]] = {
        "as the argument of a log line": lambda t: _LOG.error("for %s", t),
        "in the message of a log line": lambda t: _LOG.error(f"for {t}"),  # as careless code does
        "as a field beside a log line": lambda t: _LOG.error("x", extra={"whose": t}),
        "in an exception that is logged": _logged,
        "in an exception that ends a thread": _in_thread,
        "in an exception that ends the program": _uncaught,
    }
    for way, write in ways.items():
        bench.report.tried("log")
        written = _written(write, text)
        if search.hits(written):
            bench.hole(
                "log", "a log", f"{what} is written {way}", "it is replaced by its category", "it stands there", _LOOK
            )


class _Everything(logging.Handler):
    """Keeps everything that a record says, its fields included."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        self.lines.append(record.getMessage() + repr(record.__dict__) + (record.exc_text or ""))
        if record.exc_info and record.exc_info[0] is not None:
            self.lines.append("".join(traceback.format_exception(*record.exc_info)))


#: A logger that nobody else has. Its records are made by the process's own factory, as all are.
_LOG = logging.getLogger("probing.of.logs")
_LOG.propagate = False


def _written(write: Callable[[str], None], text: str) -> bytes:
    handler, stderr = _Everything(), io.StringIO()
    _LOG.addHandler(handler)
    before, sys.stderr = sys.stderr, stderr
    try:
        write(text)
    finally:
        sys.stderr = before
        _LOG.removeHandler(handler)
    return ("\n".join(handler.lines) + stderr.getvalue()).encode()


def _logged(text: str) -> None:
    try:
        raise RuntimeError(f"no luck with {text}")
    except RuntimeError:
        _LOG.exception("it failed")


def _in_thread(text: str) -> None:
    def fail() -> None:
        raise RuntimeError(f"no luck with {text}")

    thread = threading.Thread(target=fail, name="probe")
    thread.start()
    thread.join()


def _uncaught(text: str) -> None:
    try:
        raise RuntimeError(f"no luck with {text}")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)

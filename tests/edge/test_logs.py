"""No log record, traceback or warning carries what was opened, through whatever handler it leaves."""

from __future__ import annotations

import asyncio
import copy
import gc
import io
import json
import logging
import logging.handlers
import queue
import re
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avow.edge import logs
from avow.edge.guard import ExitGuard

EMAIL, CARD = "ann.ohara@example.org", "4242 4242 4242 4242"
SEALED, HIDDEN = "<sealed contact.email>", "<card number>"


class Dump(logging.Formatter):
    """A formatter of another library: shows all it can reach, frames and their variables included."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [super().format(record), repr(vars(record)), str(record.args), repr(record.msg)]
        error = record.exc_info[1] if record.exc_info else None
        for argument in record.args if isinstance(record.args, tuple) else ():
            error = argument if isinstance(argument, BaseException) else error
        if error is not None:
            frames = traceback.walk_tb(error.__traceback__)
            parts += [repr(error), *(repr(frame.f_locals) for frame, _ in frames)]
        return "\n".join(parts)


@pytest.fixture
def guard() -> ExitGuard:
    made = ExitGuard()
    made.watch("contact.email", EMAIL)
    return made


@pytest.fixture
def out(guard: ExitGuard) -> Iterator[io.StringIO]:
    """What a logger wrote that shows all it is given."""
    logs.install(lambda: guard)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Dump("%(name)s %(threadName)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield stream
    log.removeHandler(handler)
    logs.uninstall()


#: Outside the tree of loggers: pytest's handlers raise what logging would report.
log = logging.Logger("test_logs")  # noqa: LOG001


def clean(text: str) -> bool:
    return not re.search("ann.?ohara|4242.?4242", text, re.IGNORECASE)


class Customer:
    def __init__(self, email: str) -> None:
        self.email = email

    def __repr__(self) -> str:
        return f"Customer({self.email!r})"


class Mute:
    def __str__(self) -> str:
        raise ValueError(EMAIL)


def test_message_and_arguments_are_cleaned(out: io.StringIO) -> None:
    log.info(f"sent to {EMAIL}")  # noqa: G004 - the habit is what must not hurt
    log.info("sent to %s by %d with %r", EMAIL, 7, CARD)
    log.info("sent to %(to)s", {"to": EMAIL, CARD: [EMAIL, (CARD, {EMAIL})]})
    log.info("sent to %s@%s", *EMAIL.split("@"))
    log.info(Customer(EMAIL))
    log.info("%s %r %s", Customer(EMAIL), [Customer(CARD)], EMAIL.encode())
    log.info("%s", json.dumps({"to": EMAIL.upper()}))
    log.info({"event": "sent", "to": EMAIL})
    log.info("%s", Mute())
    log.info("%s and %s", 4242424242424242, Decimal(4242424242424242))
    log.info("card no. %d", 4242424242424242)
    assert clean(out.getvalue()), out.getvalue()
    assert f"sent to {SEALED} by 7 with '{HIDDEN}'" in out.getvalue()
    assert f"Customer('{SEALED}')" in out.getvalue()
    assert f"card no. {HIDDEN}" in out.getvalue()
    assert "<unshown Mute: ValueError>" in out.getvalue()


def test_what_is_clean_keeps_its_place_and_type(out: io.StringIO) -> None:
    keep = logging.handlers.BufferingHandler(10)
    log.addHandler(keep)
    where = ("127.0.0.1:80", "GET", "/", Decimal("1.5"))
    log.info('%s "%s %s" %.1f %d', *where, True)
    log.info("%s and %s", EMAIL, "more")
    log.info("%(a)d", {"a": 1})
    log.removeHandler(keep)
    records = keep.buffer
    assert records[0].args == (*where, True)
    assert records[1].args == (SEALED, "more")
    assert records[1].msg == "%s and %s"
    assert records[2].getMessage() == "1"
    assert records[0].created == pytest.approx(records[2].created, abs=60)


def test_exceptions_with_causes_groups_and_notes_are_rendered_clean_and_dropped(out: io.StringIO) -> None:
    def fail() -> None:
        email = EMAIL
        try:
            raise KeyError(email)
        except KeyError as cause:
            cause.add_note(f"card {CARD}")
            raise ExceptionGroup(email, [ValueError(email), OSError(2, CARD)]) from cause

    try:
        fail()
    except ExceptionGroup as error:
        log.exception("failed")
        log.error("failed", exc_info=error)
        log.error("failed: %s %r", error, error)
        log.error(error)
        log.debug("failed", exc_info=True, extra={"error": error})
    assert clean(out.getvalue()), out.getvalue()
    assert f"KeyError: '{SEALED}'" in out.getvalue()
    assert f"ExceptionGroup: {SEALED} (2 sub-exceptions)" in out.getvalue()
    assert "test_logs.py" in out.getvalue()
    assert f"card {HIDDEN}" in out.getvalue()


def test_extra_fields_stack_names_and_threads_are_cleaned(out: io.StringIO) -> None:
    log.info("a", extra={"user": EMAIL, "cards": {"n": [CARD]}, "who": Customer(EMAIL)}, stack_info=True)
    named = logging.Logger(f"test_logs.{EMAIL}")  # noqa: LOG001 - as above
    named.addHandler(log.handlers[0])
    named.warning("named")
    thread = threading.Thread(target=lambda: log.info("from %s", EMAIL), name=f"for {EMAIL}")
    thread.start()
    thread.join()
    assert clean(out.getvalue()), out.getvalue()
    assert "Stack (most recent call last)" in out.getvalue()
    assert f"for {SEALED}" in out.getvalue()


def test_a_thread_without_a_unit_and_an_error_after_the_unit_are_cleaned_too(guard: ExitGuard) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log.addHandler(handler)
    logs.install(lambda: None)
    try:
        log.warning("late: %s", EMAIL)
        del guard
        gc.collect()
    finally:
        logs.uninstall()
        log.removeHandler(handler)
    assert stream.getvalue() == f"late: {SEALED}\n"


def test_records_that_travel_stay_clean(out: io.StringIO) -> None:
    travelled: queue.Queue[logging.LogRecord] = queue.Queue()
    handler, memory = logging.handlers.QueueHandler(travelled), logging.handlers.MemoryHandler(10)
    pickled = logging.handlers.SocketHandler("localhost", 1)
    log.addHandler(handler)
    log.addHandler(memory)
    try:
        raise ValueError(EMAIL)
    except ValueError:
        log.exception("to %s", EMAIL, extra={"user": Customer(EMAIL)})
    log.removeHandler(handler)
    log.removeHandler(memory)
    held = memory.buffer[0]
    for record in (travelled.get(), held, copy.copy(held), copy.deepcopy(held)):
        assert clean(repr(vars(record)))
        assert SEALED in record.getMessage()
    held.__dict__.pop("user")
    assert clean(repr(pickled.makePickle(held)))
    received = logging.makeLogRecord(
        {"msg": f"to {EMAIL}", "user": EMAIL, "exc_info": (ValueError, ValueError(CARD), None)}
    )
    assert clean(repr(vars(received)))
    assert f"ValueError: {HIDDEN}" in logging.Formatter().format(received)


@pytest.mark.parametrize("raise_exceptions", [True, False])
def test_a_record_that_cannot_be_formatted_shows_nothing(
    out: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, raise_exceptions: bool
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", raise_exceptions)
    log.info("%d of %s", EMAIL, CARD)
    log.info("nothing to fill", EMAIL)  # noqa: PLE1205 - meant
    log.info("%(missing)s", {"to": EMAIL})
    shown = capsys.readouterr().err
    assert clean(shown + out.getvalue()), shown
    assert ("--- Logging error ---" in shown) == raise_exceptions


def test_warnings_captured_to_logging_are_cleaned(out: io.StringIO) -> None:
    captured = logging.getLogger("py.warnings")
    captured.addHandler(log.handlers[0])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            warnings.warn(f"odd address {EMAIL}, odd card {CARD}", stacklevel=1)
        finally:
            logging.captureWarnings(False)
            captured.removeHandler(log.handlers[0])
    assert clean(out.getvalue())
    assert f"odd address {SEALED}, odd card {HIDDEN}" in out.getvalue()


def test_a_hook_that_cannot_clean_withholds(out: io.StringIO, guard: ExitGuard) -> None:
    def broken() -> ExitGuard:
        raise RuntimeError(EMAIL)

    logs.install(broken)
    log.error("to %s", EMAIL)
    assert clean(out.getvalue())
    assert "withheld, it could not be cleaned: RuntimeError" in out.getvalue()


def test_asyncio_reports_clean(out: io.StringIO) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": EMAIL, "exception": ValueError(CARD), "task": EMAIL}
        )

    logging.getLogger("asyncio").addHandler(log.handlers[0])
    asyncio.run(main())
    logging.getLogger("asyncio").removeHandler(log.handlers[0])
    assert clean(out.getvalue())
    assert f"ValueError: {HIDDEN}" in out.getvalue()


PROGRAM = f"""
import asyncio, sys, threading, warnings
from avow.edge import logs
from avow.edge.guard import ExitGuard
guard = ExitGuard()
guard.watch("contact.email", {EMAIL!r})
logs.install(lambda: guard)
address = "ann.ohara" + "@example.org"
def fail():
    try:
        raise KeyError(address)
    except KeyError as cause:
        raise ExceptionGroup(address, [ValueError("4242" * 4)]) from cause
class Dying:
    def __repr__(self): return f"Dying({{address}})"
    def __del__(self): raise ValueError(address)
thread = threading.Thread(target=fail, name=address)
thread.start(); thread.join()
Dying()
warnings.warn(address)
async def task(): fail()
async def main():
    failing = asyncio.create_task(task())
    await asyncio.sleep(0)
    del failing
asyncio.run(main())
sys.stderr.write("--- at last\\n")
fail()
"""


def test_a_program_that_dies_shows_its_traceback_without_the_value() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert clean(done.stdout + done.stderr), done.stderr
    assert f"Exception in thread {SEALED}" in done.stderr
    assert f"Dying({SEALED})" in done.stderr or "Dying.__del__" in done.stderr
    assert f"UserWarning: {SEALED}" in done.stderr
    assert "Task exception was never retrieved" in done.stderr
    assert f"KeyError: '{SEALED}'" in done.stderr.split("--- at last")[1]
    assert "ExceptionGroup" in done.stderr.split("--- at last")[1]


def test_uninstalling_puts_everything_back_and_installing_twice_wraps_once() -> None:
    def hooks() -> tuple[object, ...]:
        found = (logging.getLogRecordFactory(), sys.excepthook, threading.excepthook, sys.unraisablehook)
        return (*found, warnings.showwarning)

    before = hooks()
    logs.install(lambda: None)
    installed = hooks()
    logs.install(lambda: None)
    assert all(first is not second for first, second in zip(before, installed, strict=True))
    logs.uninstall()
    assert hooks() == before
    logs.uninstall()
    assert hooks() == before


def test_uninstalling_leaves_alone_what_another_has_put_on_top() -> None:
    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        return logging.LogRecord("n", 10, "p", 1, "m", (), None)

    before = logging.getLogRecordFactory()
    logs.install(lambda: None)
    logging.setLogRecordFactory(factory)
    logs.uninstall()
    assert logging.getLogRecordFactory() is factory
    logging.setLogRecordFactory(before)


@given(st.text(), st.lists(st.text() | st.integers() | st.floats() | st.dictionaries(st.text(), st.text())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_logs_as_it_would_without_us(out: io.StringIO, message: str, values: list[object]) -> None:
    factory = logging.LogRecord
    ours = logging.getLogRecordFactory()("n", 10, "p", 1, message, tuple(values), None)
    plain = factory("n", 10, "p", 1, message, tuple(values), None)
    try:
        expected = plain.getMessage()
    except Exception as error:  # noqa: BLE001 - whatever formatting raises, it must go on raising
        with pytest.raises(type(error)):
            ours.getMessage()
    else:
        assert ours.getMessage() == expected

"""Log records, tracebacks and warnings without what was opened, and without card numbers.

Records are cleaned when they are made, before any handler, filter or queue sees them: message, arguments, exception
text, stack, extra fields. An exception is rendered at once and its objects are dropped, since a formatter of another
library would walk its frames and print their variables. What escapes a thread or the program is cleaned the same way.
(asyncio reports through logging, so it needs nothing of its own.)

Arguments keep their place and type where they are clean, so that formatters that read `record.args` go on working.
"""

from __future__ import annotations

import logging
import numbers
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from avow.edge.detectors import find_cards
from avow.edge.guard import ExitGuard, living

_Opened = Callable[[], ExitGuard | None]
_Failure = tuple[type[BaseException], BaseException, TracebackType | None]


def scrub(text: str, guard: ExitGuard | None = None) -> str:
    """`text` without card numbers and without what `guard` and every living guard of the process watches."""
    for each in dict.fromkeys((guard, *living())):
        if each is not None:
            text = each.scrub(text)
    for start, end in reversed(find_cards(text)):
        text = f"{text[:start]}<card number>{text[end:]}"
    return text


def install(opened: _Opened) -> None:
    """Clean every record, traceback and warning from now on. `opened` gives the guard of the current unit, or None.

    Installed twice, the later `opened` replaces the earlier. Call it before other parts that wrap the record factory
    are set up, or they see records that are not yet clean.
    """
    global _installed  # noqa: PLW0603 - the hooks are the process's own, so is the knowledge of them
    uninstall()
    _installed = _Hooks(opened)


def uninstall() -> None:
    """Put back what was there before `install`, unless somebody has replaced it since."""
    global _installed  # noqa: PLW0603
    if _installed is not None:
        _installed.remove()
        _installed = None


def silence(name: str) -> None:
    """Let a logger of another library say nothing from now on, also after logging was configured anew.

    `disabled` would not last: logging.config, as uvicorn uses it, takes it back from loggers that it does not name.
    """
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL + 1)
    logger.addFilter(_nothing)  # a second time it is not added


def _nothing(record: logging.LogRecord) -> bool:
    return False


class _Hooks:
    """The process's hooks, with what each was before."""

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened
        self._before = (
            logging.getLogRecordFactory(),
            sys.excepthook,
            threading.excepthook,
            sys.unraisablehook,
            warnings.showwarning,
        )
        logging.setLogRecordFactory(self._record)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        sys.unraisablehook = self._unraisable
        warnings.showwarning = self._warning

    def remove(self) -> None:
        factory, uncaught, in_thread, unraisable, warning = self._before
        if logging.getLogRecordFactory() == self._record:
            logging.setLogRecordFactory(factory)
        if sys.excepthook == self._uncaught:
            sys.excepthook = uncaught
        if threading.excepthook == self._uncaught_in_thread:
            threading.excepthook = in_thread
        if sys.unraisablehook == self._unraisable:
            sys.unraisablehook = unraisable
        if warnings.showwarning == self._warning:
            warnings.showwarning = warning

    def scrub(self, text: str) -> str:
        try:
            return scrub(text, self._opened())
        except Exception as error:  # noqa: BLE001 - raised within a hook, it would print what could not be cleaned
            return f"<text withheld, it could not be cleaned: {type(error).__name__}>"

    def _record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._before[0](*args, **kwargs)
        message = _message(record)
        fields = _Fields(self.scrub)
        fields.update(record.__dict__)
        record.__dict__ = fields
        if message is not None and self.scrub(message) != _message(record):
            # clean pieces can make a sum that is not ("%s@%s"), and cleaned ones may fit no more ("%d")
            record.msg, record.args = self.scrub(message), ()
        return record

    def _uncaught(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        _print(self.scrub(_rendered((kind, error, where))))

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit:
            return
        name = args.thread.name if args.thread else "unknown"
        error = args.exc_value or args.exc_type()
        _print(self.scrub(f"Exception in thread {name}:\n{_rendered((args.exc_type, error, args.exc_traceback))}"))

    def _unraisable(self, args: sys.UnraisableHookArgs) -> None:
        error = args.exc_value or args.exc_type()
        text = _rendered((args.exc_type, error, args.exc_traceback))
        _print(self.scrub(f"{args.err_msg or 'Exception ignored in'}: {_told(args.object, repr)}\n{text}"))

    def _warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        self._before[4](self.scrub(str(message)), category, filename, lineno, file, line)


_installed: _Hooks | None = None


#: Fields that logging fills in from the code and the clock. (A time stamp can look like a card number.)
_OWN = frozenset({
    "created", "filename", "funcName", "levelname", "levelno", "lineno", "module", "msecs", "pathname", "process",
    "relativeCreated", "thread",
})  # fmt: skip


class _Fields(dict[str, Any]):
    """A record's fields. `Logger.makeRecord` writes `extra` into them after the factory has returned."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        super().__init__()
        self._scrub = scrub

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "exc_info":
            if value and isinstance(value, tuple) and value[0] is not None:
                super().__setitem__("exc_text", self._scrub(_rendered(value)))
            value = None
        super().__setitem__(name, value if name in _OWN else _clean(value, self._scrub))

    def update(self, *others: Any, **fields: Any) -> None:
        # in this order: the text rendered from `exc_info` must outlive the None that records begin with
        new = dict(*others, **fields)
        if new.get("exc_text") is None:
            new.pop("exc_text", None)
            self.setdefault("exc_text", None)
        for name, value in new.items():
            self[name] = value

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _message(record: logging.LogRecord) -> str | None:
    """Message and arguments joined; None where they do not fit, which logging reports when the record is handled."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's own method may raise anything
        return None


def _clean(value: Any, scrub: Callable[[str], str]) -> Any:
    """`value` itself where nothing in it needs hiding, otherwise something that prints like it, cleaned."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return scrub(value)
    if type(value) in (tuple, list):
        return type(value)(_clean(item, scrub) for item in value)
    if type(value) is dict:
        return {_clean(key, scrub): _clean(item, scrub) for key, item in value.items()}
    told = _told(value, str), _told(value, repr)
    if isinstance(value, numbers.Number):
        return value if scrub(told[0]) == told[0] else scrub(told[0])
    cleaned = scrub(told[0]), scrub(told[1])
    # An exception carries its frames along, and they every variable; what fails to show itself fails with a message.
    kept = cleaned == told and not isinstance(value, BaseException) and not any(map(_UNSHOWN.match, told))
    return value if kept else _Told(*cleaned)


_UNSHOWN = re.compile(r"<unshown \w+: \w+>\Z")


class _Told:
    """Stands for an object of which only its cleaned texts are left."""

    __slots__ = ("_shown", "_text")

    def __init__(self, text: str, shown: str) -> None:
        self._text, self._shown = text, shown

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._shown


def _told(value: object, how: Callable[[object], str]) -> str:
    try:
        return how(value)
    except Exception as error:  # noqa: BLE001 - whatever the object's own method raises must not stop the logging
        return f"<unshown {type(value).__name__}: {type(error).__name__}>"


def _rendered(failure: _Failure) -> str:
    return "".join(traceback.format_exception(*failure)).rstrip("\n")


def _print(text: str) -> None:
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - where the interpreter itself would print it

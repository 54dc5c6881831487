"""`avow …` with every logger at debug level, asyncio's debug mode, and a handler that prints all it is given.

    python -m tests.campaigns.loud serve SITE --port 0 …

The handler stands for the worst that is in use: it writes out each record with all its attributes and, where it gets
an exception, each frame's variables.
"""

from __future__ import annotations

import asyncio.base_events
import logging
import os
import sys
import traceback
from typing import Any

import uvicorn.config

import avow.store.connection
from avow.cli import main


class Everything(logging.Handler):
    """Prints a record, its attributes, and the variables of every frame that it can get hold of."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        lines = [record.getMessage(), record.exc_text or "", repr(dict(record.__dict__))]
        if record.exc_info and record.exc_info[1] is not None:
            shown = traceback.TracebackException.from_exception(record.exc_info[1], capture_locals=True)
            lines += shown.format()
        sys.stderr.write("\n".join(lines) + "\n")


def shout() -> None:
    """Turn everything up."""
    root = logging.getLogger()
    root.addHandler(Everything())
    root.setLevel(logging.DEBUG)
    logging.getLogger("markdown_it").setLevel(logging.INFO)  # reads policies only, and writes a book about each
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.orm", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    quiet = uvicorn.config.Config.configure_logging

    def loud(config: uvicorn.config.Config) -> None:
        quiet(config)
        for name in ("uvicorn", "uvicorn.error"):  # not the access log: `avow serve` has it turned off
            logging.getLogger(name).setLevel(logging.DEBUG)
            logging.getLogger(name).propagate = True

    setattr(uvicorn.config.Config, "configure_logging", loud)  # noqa: B010 - mypy would not have it assigned
    begin: Any = asyncio.base_events.BaseEventLoop.__init__

    def slow_at_once(loop: Any) -> None:
        begin(loop)
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0  # so that each callback is reported, with its arguments

    setattr(asyncio.base_events.BaseEventLoop, "__init__", slow_at_once)  # noqa: B010
    avow.store.connection.LOCK_TIMEOUT = float(os.environ.get("LOCK_TIMEOUT", "15"))


if __name__ == "__main__":
    shout()
    main()

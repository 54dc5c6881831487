"""A PostgreSQL of one's own: a real server from the system's packages, in a temporary folder, on a private socket.

with Server() as server:
    engine = create_engine(server.fresh_database())
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from avow.errors import SetupError

#: Seconds that a server may take to accept connections.
PATIENCE = 30.0

#: Who the server runs as when we are root: PostgreSQL refuses to run as root itself.
ACCOUNT = "postgres"

_INSTALL = "install PostgreSQL (on Debian: apt install postgresql), or put its `postgres` on the PATH"


class Server:
    """A PostgreSQL server between `with` and its end; it listens on no port, only in a folder of its owner.

    `fsync` off (as here unless asked for) trades safety at a power cut for speed; a killed server loses nothing.
    `buffers` is the memory that it keeps pages in. `kept` is a folder for its databases that outlasts it: what an
    earlier server left there is served again. Without one all goes at the end. The
    process is a direct child, so that a test may kill it: `kill`, then `start` again. It is told to end when the
    thread that started it does, so start it from one that lasts. Raises SetupError when PostgreSQL is not
    installed or does not start, with the server's own words.
    """

    def __init__(self, *, fsync: bool = False, buffers: str = "32MB", kept: Path | None = None) -> None:
        self._bin = _binaries()
        self._fsync = fsync
        self._buffers = buffers
        self._databases = 0
        self._scratch = tempfile.TemporaryDirectory(prefix="avow-pg-")
        self.folder = Path(self._scratch.name)
        self._kept = kept or self.folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The maintenance database, in the form that SQLAlchemy takes."""
        return self._url("postgres")

    def fresh_database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"avow_{self._databases}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def database(self, name: str) -> str:
        """The URL of the database of a name, which is made unless it is there."""
        with self._connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        command: list[str | Path] = [
            self._bin / "postgres", "-D", self._kept / "data", "-k", self.folder, "-c", "listen_addresses=",
            "-c", f"fsync={'on' if self._fsync else 'off'}", "-c", f"shared_buffers={self._buffers}",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the arguments are ours
                [*_as_account(until_parent_ends=True), *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise self._failed("does not start", (self.folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it cleanly, dropping its connections."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does: no checkpoint, nothing flushed. `start` recovers it."""
        # Not SIGKILL: it would leave the children to find out for themselves, and the socket's lock behind.
        self._signal(signal.SIGQUIT)

    def __enter__(self) -> Self:
        self._kept.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            for folder in (self.folder, self._kept):
                shutil.chown(folder, ACCOUNT, ACCOUNT)
        if not (self._kept / "data" / "PG_VERSION").exists():
            made = subprocess.run(  # noqa: S603 - the arguments are ours
                [*_as_account(), self._bin / "initdb", "-D", self._kept / "data", "--username=avow", "--auth=trust",
                 "--encoding=UTF8", "--no-locale", "--no-sync"],
                capture_output=True, text=True, check=False, cwd="/",
            )  # fmt: skip
            if made.returncode != 0:
                raise self._failed("cannot make its data folder", made.stderr)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._scratch.cleanup()

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://avow@/{database}?host={self.folder}"

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="avow", dbname="postgres", autocommit=True)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def _failed(self, what: str, said: str) -> SetupError:
        lines = said.strip().splitlines()
        return SetupError(f"PostgreSQL {what}: {lines[-1] if lines else 'it said nothing'}", help=_INSTALL)


def _binaries() -> Path:
    """The folder of the newest server that is installed. Raises SetupError."""
    found = {int(path.parts[4]): path for path in Path("/").glob("usr/lib/postgresql/[0-9]*/bin") if path.is_dir()}
    if found:
        return found[max(found)]
    on_path = shutil.which("postgres")
    if on_path is None:
        raise SetupError("PostgreSQL is not installed", help=_INSTALL)
    return Path(on_path).resolve().parent


def _as_account(*, until_parent_ends: bool = False) -> list[str]:
    """The words before a command that make it run as PostgreSQL's account when we are root."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "QUIT"] if setpriv and until_parent_ends else []
    if setpriv is None:
        raise SetupError("PostgreSQL does not run as root, and `setpriv` is missing", help="run as another user")
    pdeathsig = ["--pdeathsig", "QUIT"] if until_parent_ends else []
    return [setpriv, f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups", *pdeathsig]

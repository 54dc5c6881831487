"""A PostgreSQL of one's own, real enough to be killed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from avow.errors import SetupError
from avow.testing import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.Server() as server:
        yield server


def test_every_fresh_database_is_new_and_empty(server: postgres.Server) -> None:
    first, second = server.fresh_database(), server.fresh_database()
    assert first != second
    for url in (first, second):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE note (body text)"))
            assert connection.execute(text("SHOW server_encoding")).scalar_one() == "UTF8"
        engine.dispose()


def test_it_listens_on_no_port_and_only_to_its_owner(server: postgres.Server) -> None:
    engine = create_engine(server.url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW listen_addresses")).scalar_one() == ""
    engine.dispose()
    assert server.folder.stat().st_mode & 0o077 == 0


def test_what_was_committed_outlives_a_crash(server: postgres.Server) -> None:
    engine = create_engine(server.fresh_database())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (body text)"))
        connection.execute(text("INSERT INTO note VALUES ('kept')"))
    engine.dispose()
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(server.folder), user="avow", dbname="postgres").close()
    server.start()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT body FROM note")).scalar_one() == "kept"
    engine.dispose()


@pytest.fixture
def lasting() -> Iterator[Path]:
    """A folder that another user may enter: as root, the server runs as one. Pytest's are their owner's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_is_kept_is_served_again(lasting: Path) -> None:
    for number in range(2):
        with postgres.Server(kept=lasting / "kept", buffers="16MB") as server:
            engine = create_engine(server.database("notes"))
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE IF NOT EXISTS note (body text)"))
                connection.execute(text("INSERT INTO note VALUES ('kept')"))
                assert connection.execute(text("SELECT count(*) FROM note")).scalar_one() == number + 1
                assert connection.execute(text("SHOW shared_buffers")).scalar_one() == "16MB"
            engine.dispose()


def test_nothing_is_left_behind() -> None:
    with postgres.Server() as server:
        process, folder = server.process, server.folder
    assert process is not None
    assert process.returncode == 0
    assert not folder.exists()


def test_a_missing_postgresql_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match=r"not installed\n.*help: install PostgreSQL"):
        postgres.Server()


def test_a_server_that_cannot_start_says_why(server: postgres.Server) -> None:
    server.stop()
    configuration = server.folder / "data" / "postgresql.conf"
    before = configuration.read_bytes()
    configuration.write_bytes(before + b"\nno_such_setting = on\n")
    begun = time.monotonic()
    with pytest.raises(SetupError, match=r"no_such_setting|configuration file"):
        server.start()
    assert time.monotonic() - begun < 5
    configuration.write_bytes(before)
    server.start()

"""The process of the peers: quick to start, silent, and gone with whoever started it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avow.outbound.address import Address
from avow.outbound.https import HttpsChannel
from avow.outbound.sftp import SftpChannel

SOURCE = Path(__file__).parents[2] / "src"


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "avow.testing.peers", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, json.loads(line) if line else {}
        if process.stdin is not None:
            process.stdin.close()


NAMES = ("--card", "processor", "--https", "ups", "--https", "fedex", "--mail", "mail")


def test_it_prints_one_line_when_it_is_ready_and_no_warning(tmp_path: Path) -> None:
    with started("--data", str(tmp_path), *NAMES) as (process, ready):
        assert ready["ready"] is True
        assert list(ready["endpoints"]) == ["processor", "ups", "fedex", "mail"]
        assert ready["endpoints"]["processor"].endswith("/authorisations")
        assert ready["endpoints"]["mail"].startswith("smtps://127.0.0.1:")
        label = {"reference": "7", "fields": {"contact.name": "Ann Miller"}}
        HttpsChannel(ready["endpoints"]["ups"], ca=Path(ready["ca"])).post(label, idempotency="7")
        with urllib.request.urlopen(ready["page"], timeout=5) as page:
            assert "Ann Miller" in page.read().decode()
        output, errors = process.communicate("")
    assert (output, errors, process.returncode) == ("", "", 0)


def test_suppliers_are_started_with_all_that_it_takes_to_reach_them(tmp_path: Path) -> None:
    suppliers = ("--order-https", "north", "--order-sftp", "south", "--order-mail", "west")
    with started("--data", str(tmp_path), *suppliers) as (process, ready):
        found = {name: Address.of(value) for name, value in ready["endpoints"].items()}
        assert {name: address.channel for name, address in found.items()} == {
            "north": "https", "south": "sftp", "west": "smtps",
        }  # fmt: skip
        south = found["south"]
        assert south.key is not None
        channel = SftpChannel(south.url, user=south.user, key=south.key, host_key=south.host_key)
        assert channel.put("a1.jsonl", b'{"contact.name": "Canary Q7"}\n')
        with urllib.request.urlopen(ready["page"], timeout=5) as page:
            assert "Canary Q7" in page.read().decode()
        output, errors = process.communicate("")
    assert (output, errors, process.returncode) == ("", "", 0)
    assert not any(b"Canary" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_it_ends_when_its_parent_does(tmp_path: Path) -> None:
    with started("--data", str(tmp_path), *NAMES) as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


def test_what_arrives_never_touches_the_disk(tmp_path: Path) -> None:
    with started("--data", str(tmp_path), *NAMES) as (_, ready):
        label = {"reference": "7", "fields": {"contact.name": "Canary Q7"}}
        HttpsChannel(ready["endpoints"]["ups"], ca=Path(ready["ca"])).post(label, idempotency="7")
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} == {".pem", ".key"}
        assert not any(b"Canary" in path.read_bytes() for path in files)


def two_free_ports() -> int:
    """The first of two free ports in a row, below those that the system gives to who connects."""
    for base in random.sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in (base, base + 1):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return base
    raise AssertionError("no two ports in a row are free")


def test_ports_are_given_out_in_a_row(tmp_path: Path) -> None:
    base = two_free_ports()
    with started("--data", str(tmp_path), "--port-base", str(base), "--https", "ups") as (_, ready):
        assert ready["endpoints"] == {"ups": f"https://127.0.0.1:{base}/labels"}
        assert ready["page"] == f"http://127.0.0.1:{base + 1}/"


def test_a_taken_port_is_one_sentence_and_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--data", str(tmp_path), "--port-base", port, "--https", "ups") as (process, ready):
            _, errors = process.communicate()
    assert ready == {}
    assert process.returncode == 1
    assert errors.startswith(f"error: ups cannot listen on 127.0.0.1:{port}: ")
    assert "help: choose another port" in errors


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with started("--data", str(tmp_path / "file" / "peers"), "--https", "ups") as (process, _):
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "cannot be used: Not a directory" in errors


def test_the_package_itself_loads_nothing_heavy() -> None:
    heavy = "'cryptography', 'aiosmtpd', 'psycopg', 'jinja2', 'ssl', 'asyncio'"
    code = f"import sys, avow.testing; print([name for name in ({heavy}) if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert loaded.stdout == "[]\n"


def test_it_takes_many_connections_at_once(tmp_path: Path) -> None:
    with started("--data", str(tmp_path), *NAMES) as (_, ready), contextlib.ExitStack() as stack:
        address = ("127.0.0.1", int(ready["endpoints"]["ups"].rpartition(":")[2].partition("/")[0]))
        for _ in range(300):
            stack.enter_context(socket.create_connection(address, 5))
        label = {"reference": "7", "fields": {}}
        assert HttpsChannel(ready["endpoints"]["ups"], ca=Path(ready["ca"])).post(label, idempotency="7")

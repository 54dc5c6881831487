"""`avow staff`: who may come to a site's desks; and the one member that a trial on one's own computer begins with."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.cli.typing_in import Said, avow

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"
PASSWORD = "kettle over the blue barn"


def staff(*arguments: str, typed: str = "") -> Said:
    return avow("staff", *arguments, typed=typed)


def test_a_member_is_added_changed_shown_and_removed(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    assert "There is no staff yet" in staff("list", str(SHOP), *data).out
    roles = ("--role", "order_desk", "--role", "service_desk")
    added = staff("add", str(SHOP), "berta", *roles, *data, typed=f"{PASSWORD}\n")
    assert (added.status, added.out) == (0, "berta is added: order_desk, service_desk\n")
    changed = staff("add", str(SHOP), "berta", "--role", "order_desk", *data, typed=f"{PASSWORD}\n")
    assert changed.out == "berta is changed: order_desk\n"
    assert staff("list", str(SHOP), *data).out == "berta: order_desk\n"
    file = tmp_path / "data" / "staff.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    assert staff("remove", str(SHOP), "berta", *data).status == 0
    assert "no staff" in staff("list", str(SHOP), *data).out


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    for arguments, typed, said in (
        (("add", str(SHOP), "berta", "--role", "order_dsk"), PASSWORD, "did you mean `order_desk`?"),
        (("add", str(SHOP), "berta", "--role", "order_desk"), "short", "15 to 128 characters"),
        (("add", str(SHOP), "Berta B", "--role", "order_desk"), PASSWORD, "cannot be a name"),
        (("remove", str(SHOP), "berta"), "", "nobody of the staff is called `berta`"),
        (("list", str(tmp_path)), "", "policy.md"),
    ):
        done = staff(*arguments, *data, typed=f"{typed}\n")
        assert done.status == 1, arguments
        assert said in done.err, done.err
        assert "Traceback" not in done.err
        assert PASSWORD not in done.err + done.out
    assert not (tmp_path / "staff.yaml").exists()


def test_a_trial_on_ones_own_computer_begins_with_one_member(tmp_path: Path) -> None:
    """Name and password are printed at the first start and never again, and open the desks."""

    def first_words() -> tuple[str, int]:
        command = [sys.executable, "-m", "avow", "serve", str(SHOP), "--port", "0", "--local-peers"]
        process = subprocess.Popen(
            [*command, "--data", str(tmp_path / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert process.stdout is not None
        assert process.stderr is not None
        said = ""
        while not said.endswith("Ctrl-C.\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        status = 0
        where = re.search(r"its desks\s+(\S+)\n", said)
        assert where, said
        if found := re.search(r"name (\S+), password (\S+) ", said):
            header = "Basic " + base64.b64encode(f"{found[1]}:{found[2]}".encode()).decode()
            status = httpx.get(where[1], headers={"Authorization": header}, trust_env=False).status_code
        assert httpx.get(where[1], trust_env=False).status_code == 401
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        process.stderr.close()
        return said, status

    said, status = first_words()
    assert "password" in said
    assert status == 200
    said, _ = first_words()
    assert "password" not in said

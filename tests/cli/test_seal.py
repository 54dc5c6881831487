"""`avow seal` on a reading club that had a library before, as its operator has it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from avow.testing.postgres import Server
from tests.vault.library import READERS, Library

ROOT = Path(__file__).parents[2]

APP = """
from pathlib import Path
from sqlalchemy.orm import Mapped
from avow import Sealed, Site, owner, personal, plain

site = Site(Path(__file__).parent / "policy.md")

class Member(site.Record):
    __tablename__ = "club_member"
    person: Mapped[str] = owner()
    name: Mapped[Sealed] = personal("contact.name", field="member.name")
    email: Mapped[Sealed] = personal("contact.email", field="member.email", lookup="email")
    address: Mapped[Sealed | None] = personal("contact.address", field="member.address", optional=True)
    wishes: Mapped[Sealed | None] = personal("wishes", field="member.wishes", optional=True)

site.take_over(
    Member, table="reader", key="id", person="id", role="desk", purpose="lending", place="hall", channel="https",
    columns={"name": "name", "email": "email", "address": "address", "wishes": "note"},
)
"""

OPEN = """
from pathlib import Path
from avow.cli.serve import load_site
s = load_site(Path({!r}))
s.open({!r}, store={!r})
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


class Installed:
    """A site in a folder, its data, and the library in the same database."""

    def __init__(self, folder: Path, store: str) -> None:
        self.site, self.data, self.store = folder / "club", folder / "data", store
        self.site.mkdir()
        shutil.copy(ROOT / "tests/vault/club.md", self.site / "policy.md")
        (self.site / "app.py").write_text(APP)
        self.old = Library(store).fill()
        self.old.run('DROP TABLE "order"')  # it has names of the same people, and is not taken over here
        opened = run("-c", OPEN.format(str(self.site), str(self.data), store) + "s.close()")
        assert opened.returncode == 0, opened.stderr

    def seal(self, *options: str) -> subprocess.CompletedProcess[str]:
        said = run("-m", "avow", "seal", self.site, "--data", self.data, "--store", self.store, *options)
        for reader in READERS.values():
            assert not [text for text in reader[:4] if text and text in said.stdout + said.stderr]
        return said


@pytest.fixture
def installed(tmp_path: Path, store: str) -> Installed:
    return Installed(tmp_path, store)


def test_a_card_is_left_and_told_of_and_the_rest_is_gone_from_everywhere(installed: Installed) -> None:
    left = installed.seal("--batch", "2", "--drop")
    assert left.returncode == 3, left.stderr
    lines = left.stdout.splitlines()
    assert lines[0] == "reader → Member: 3 rows were taken over."
    assert lines[1].startswith("  left in the clear: 1 × reader.note: seems to contain card")
    assert lines[1].endswith("(#no-card)")
    assert lines[2] == "    id 3"
    assert lines[-1] == "-- reader still holds values: its columns stay"
    assert installed.old.readers()[3] == ("", None, None, "card 4111 1111 1111 1111", "C")

    installed.old.run("UPDATE reader SET note = 'about crows' WHERE id = 3")
    whole = installed.seal("--drop")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    lines = whole.stdout.splitlines()
    assert lines[0] == "reader → Member: 1 rows were taken over."
    assert [line for line in lines if line.startswith("ALTER")] == [
        f'ALTER TABLE "reader" DROP COLUMN "{name}";' for name in ("name", "email", "address", "note")
    ]
    if installed.store.startswith("sqlite"):
        assert "Cleaned: its log (WAL) was emptied." in lines
        assert any(line.startswith("Searched ") and line.endswith(" none is found.") for line in lines)
    else:
        assert "Cleaned: the segments of the log (WAL) were overwritten." in lines
    assert "Outside the database there may be more" in whole.stdout


def test_what_is_still_found_elsewhere_is_told_of(tmp_path: Path) -> None:
    installed = Installed(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    installed.old.run(
        "UPDATE reader SET note = NULL WHERE id = 3",
        "CREATE TABLE newsletter (mail TEXT)",
        "INSERT INTO newsletter SELECT email FROM reader",
    )
    said = installed.seal()
    assert said.returncode == 3
    assert f"STILL FOUND: texts of reader.email, 3 times, in {tmp_path / 'shop.db'}" in said.stdout
    installed.old.run("DROP TABLE newsletter")
    assert installed.seal().returncode == 0


def test_the_cleaning_can_be_left_for_later(tmp_path: Path) -> None:
    installed = Installed(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    installed.old.run("UPDATE reader SET note = NULL WHERE id = 3")
    said = installed.seal("--no-clean")
    assert said.returncode == 0, said.stderr
    assert "run this again without --no-clean" in said.stdout
    assert "Cleaned" not in said.stdout


def test_what_the_account_of_a_server_may_not_clean_is_told_of(tmp_path: Path, postgres: Server) -> None:
    store = postgres.fresh_database()
    owner = create_engine(store, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE ROLE librarian LOGIN"))
        connection.execute(text("GRANT ALL ON SCHEMA public TO librarian"))
    owner.dispose()
    installed = Installed(tmp_path, store.replace("//avow@", "//librarian@"))
    installed.old.run("UPDATE reader SET note = NULL WHERE id = 3")
    said = installed.seal()
    assert said.returncode == 3, said.stderr
    assert "NOT cleaned: the log (WAL) still holds the old rows until its segments have been used again" in said.stdout
    assert installed.seal("--no-clean").returncode == 0


def test_it_seals_while_the_site_is_open(tmp_path: Path) -> None:
    installed = Installed(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    installed.old.run("UPDATE reader SET note = NULL WHERE id = 3")
    serving = subprocess.Popen(
        [sys.executable, "-c", OPEN.format(str(installed.site), str(installed.data), installed.store)
         + "print('open', flush=True); input(); s.close()"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stdout is not None
    assert serving.stdout.readline() == "open\n"
    said = installed.seal()
    serving.communicate("\n", timeout=60)
    assert serving.returncode == 0
    assert said.returncode == 0, said.stdout + said.stderr


def test_what_the_policy_refuses_ends_it_with_the_sentence(tmp_path: Path) -> None:
    installed = Installed(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    app = installed.site / "app.py"
    app.write_text(app.read_text().replace('place="hall"', 'place="shelf"'))
    said = installed.seal()
    assert said.returncode == 1
    assert said.stderr.startswith("error: `reader` cannot be taken over: collect contact")
    assert "nothing of it was touched" in said.stderr
    assert installed.old.readers()[1][0] == READERS[1][0]


def test_what_does_not_fit_the_database_ends_it(tmp_path: Path) -> None:
    installed = Installed(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    installed.old.run("ALTER TABLE reader RENAME COLUMN note TO notes")
    said = installed.seal()
    assert said.returncode == 1
    assert "`reader` has no column `note` for `Member.wishes`; did you mean `notes`?" in said.stderr


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    said = run("-m", "avow", "seal", ROOT / "sites" / "gourmet", "--data", tmp_path / "data")
    assert said.returncode == 1
    assert "there is no installation in" in said.stderr

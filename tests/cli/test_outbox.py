"""`avow outbox` shows what failed and why, and sends it again once the reason is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.cli.main import run
from avow.outbound.address import Address
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.mailbox import Mailbox
from tests.vault.club import club


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(Authority.create(tmp_path / "ca"), user="club", password="secret") as peer:
        yield peer


def opened(tmp_path: Path, mailbox: Mailbox, password: str) -> Any:
    site = club()
    mail = {"url": mailbox.url, "user": "club", "password": password}
    with CardProcessor(name="bank") as bank, Carrier(name="binder") as binder:
        addresses = {"bank": bank.url, "binder": binder.url, "mail": Address.of(mail)}
    site.open(tmp_path / "data", endpoints=addresses, ca=mailbox.ca, background=False)
    return site


def test_what_failed_is_shown_with_its_reason_and_sent_again(
    tmp_path: Path, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    site = opened(tmp_path, mailbox, "wrong")
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        ann = work.collect(site.Member, person=work.person(), name="Ann Canary", email="ann.canary@example.org")
        work.send("notice", ann)
    site.opened.courier.run()
    site.close()
    show = ["outbox", "--data", str(tmp_path / "data")]
    assert run(show) == 3
    said = capsys.readouterr().out
    assert "notice: 1 failed for good: smtps://127.0.0.1:" in said
    assert "refused the login of the configured user" in said
    assert "canary" not in said.lower()

    assert run([*show, "--again", "binder"]) == 1
    assert "nothing to `binder` has failed" in capsys.readouterr().err
    assert run([*show, "--again", "notice"]) == 0
    assert "1 to notice will be sent again, under the same ids." in capsys.readouterr().out
    site = opened(tmp_path, mailbox, "secret")
    site.opened.courier.run()
    site.close()
    assert [list(mail.recipients) for mail in mailbox.received] == [["ann.canary@example.org"]]
    assert run(show) == 0
    assert capsys.readouterr().out == "notice: 1 delivered\n"


def test_an_installation_that_never_sent_says_so(
    tmp_path: Path, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(tmp_path, mailbox, "secret").close()
    assert run(["outbox", "--data", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out == "Nothing was ever sent.\n"


def test_a_folder_without_a_database_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["outbox", "--data", str(tmp_path)]) == 1
    assert "there is no database in" in capsys.readouterr().err

"""Receipts for what stands in one's log: each verifies by itself, and nobody else gets one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from avow.cli.main import run
from avow.ledger.entry import Entry, commitment
from avow.ledger.merkle import leaf_hash
from avow.ledger.note import VerifierKey
from avow.ledger.proof import Receipt

from .conftest import Gourmet, Peers
from .customer import Customer
from .member import ADDRESS, EMAIL, NAME, OTHER, member
from .subscribers import BOB, module
from .test_gourmet_data import ORDERED, QUESTION, customer_with_everything
from .test_gourmet_log import LOGGED_IN, told

LINK = re.compile(r'href="([^"]*/log/([0-9a-f]{64})\.tlog-proof)"')
NOT_THEIRS, NOT_YET = "There is no such entry in your log", "This receipt is not ready yet"
NOBODYS = "0" * 64


def offered(customer: Customer, path: str = "/account/log") -> dict[str, str]:
    """Where the receipts of somebody's log are, by commitment."""
    return links_in(told(customer, path))


def links_in(log: str) -> dict[str, str]:
    return {leaf: href for href, leaf in LINK.findall(log)}


def key_of(gourmet: Gourmet) -> VerifierKey:
    return VerifierKey.parse(gourmet.customer().get("/log/key").text.splitlines()[0])


def heading(answer: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found, answer.text
    return found[1]


@pytest.mark.promise("I1", "works")
def test_each_entry_of_a_log_is_there_as_a_receipt_that_verifies(
    gourmet: Gourmet, peers: Peers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    gourmet.opened.sequencer.run()
    key, there = key_of(gourmet), offered(customer)
    assert len(there) > 50
    whole, said = b"", []
    for leaf, href in there.items():
        answer = customer.get(href)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
        assert answer.headers["cache-control"] == "no-store"
        held = Receipt.parse(answer.content)
        assert answer.headers["content-disposition"] == f'attachment; filename="entry-{held.index}.tlog-proof"'
        held.verify(leaf_hash(commitment(held.extra)), key)
        assert commitment(held.extra).hex() == leaf
        said.append(Entry.decode(held.extra))
        whole += held.extra
    assert ("done", "share", "ups") in {(entry.event, entry.verb, entry.recipient) for entry in said}
    for value in (EMAIL, NAME, QUESTION, ORDERED["note"], ORDERED["street"]):
        assert value.encode() not in whole
    file = tmp_path / "one.tlog-proof"
    file.write_bytes(answer.content)
    assert run(["ledger", "check", str(key), "--receipt", str(file)]) == 0
    out = capsys.readouterr().out
    assert f"it is entry {held.index} of" in out
    assert re.search(rf"^  verb +{json.loads(held.extra)['verb']}$", out, re.MULTILINE)


def test_a_guest_gets_them_by_the_link_of_the_order(gourmet: Gourmet, peers: Peers) -> None:
    order = gourmet.customer().order(email="third@example.org")
    gourmet.work_off()
    gourmet.opened.sequencer.run()
    there = offered(gourmet.customer(), f"{order}/log")
    assert there
    for leaf, href in there.items():
        assert href.startswith(f"{order}/log/")
        held = Receipt.parse(gourmet.customer().get(href).content)
        held.verify(leaf_hash(bytes.fromhex(leaf)), key_of(gourmet))


@pytest.mark.promise("I1", "holds")
def test_nobody_gets_another_s_and_nobody_is_told_whether_there_is_one(gourmet: Gourmet, peers: Peers) -> None:
    customer, order = customer_with_everything(gourmet, peers)
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)
    guest = gourmet.customer().order(email="third@example.org")
    gourmet.work_off()
    gourmet.opened.sequencer.run()
    mine = offered(customer)
    theirs = [offered(other), offered(gourmet.customer(), f"{guest}/log")]
    sought = next(leaf for leaf in mine if not any(leaf in each for each in theirs))
    for who, path in ((other, "/account/log"), (gourmet.customer(), f"{guest}/log")):
        found, unknown = (who.get(f"{path}/{leaf}.tlog-proof") for leaf in (sought, NOBODYS))
        assert (found.status_code, heading(found)) == (404, NOT_THEIRS)
        assert f'<a href="{path}">Back to your log</a>' in found.text
        assert (unknown.status_code, unknown.text) == (404, found.text)
    for leaf in (sought, NOBODYS):
        for path, instead in (
            (f"/account/log/{leaf}.tlog-proof", "/login?to=account"),
            (f"/order/nowhere/log/{leaf}.tlog-proof", "/order/nowhere"),
            (f"{order}/log/{leaf}.tlog-proof", "/account/log"),
        ):
            answer = gourmet.customer().get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, instead)
    assert customer.get(mine[sought]).status_code == 200


@pytest.mark.promise("I1", "holds")
def test_a_careless_page_gives_a_stranger_none(gourmet: Gourmet, peers: Peers) -> None:
    """HTTP: who was recognised is one person, and whose receipt is asked for is another's."""
    customer, _ = customer_with_everything(gourmet, peers)
    gourmet.opened.sequencer.run()
    [sought, *_] = offered(customer)
    account, login = module(gourmet, "account").Account, module(gourmet, "login")
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)

    def careless(work: Any) -> Any:
        mine = login.who(work)
        [found] = [one for one in work.select(account) if mine is None or one.owner_id != mine.owner_id][:1]
        return work.log_receipt(found, fact=LOGGED_IN, commitment=sought)

    gourmet.add_page("/careless", careless, place="data_page", purpose="account_keeping")
    for who in (gourmet.customer(), other):
        answer = who.get("/careless")
        assert answer.status_code == 403
        assert b"tlog-proof" not in answer.content


@pytest.mark.parametrize("spelled", ["x", "", "0", "é", "%00", "a" * 5000, NOBODYS.replace("0", "G"), "\ue000" * 64])
def test_what_is_no_commitment_is_told_like_one_that_there_is_not(gourmet: Gourmet, peers: Peers, spelled: str) -> None:
    answer = member(gourmet, peers).get(f"/account/log/{spelled}.tlog-proof")
    assert answer.status_code == 404
    assert heading(answer) == (NOT_THEIRS if spelled else "There is no such page")


def test_an_entry_that_waits_says_so_and_has_its_receipt_once_it_is_in_the_log(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    gourmet.opened.sequencer.run()
    before, note = told(customer), gourmet.opened.sequencer.file.read_bytes()
    assert "Lines without one are new" not in before
    assert customer.send("/account/details", {"name": NAME, **ADDRESS}).status_code == 303
    after = told(customer)
    assert "Lines without one are new" in after
    assert links_in(after) == links_in(before) != {}
    with gourmet.acting("account_keeping", place="data_page") as work:
        [mine] = work.select(module(gourmet, "account").Account)
        work.recognise(mine, LOGGED_IN)
        entries = [entry for line in work.my_log(mine, fact=LOGGED_IN).lines for entry in line.entries]
    waiting = {entry.commitment for entry in entries if entry.number is None}
    [path, *_] = [f"/account/log/{leaf}.tlog-proof" for leaf in waiting]
    assert (customer.get(path).status_code, heading(customer.get(path))) == (404, NOT_YET)
    gourmet.opened.sequencer.run()
    assert offered(customer).keys() >= waiting
    assert customer.get(path).status_code == 200
    gourmet.opened.sequencer.file.write_bytes(note)  # as if the service had died before it signed
    assert (customer.get(path).status_code, heading(customer.get(path))) == (404, NOT_YET)


def test_a_ledger_that_was_changed_gives_no_receipt(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    gourmet.opened.sequencer.run()
    [href, *_] = offered(customer).values()
    with gourmet.opened.vault.store.writing() as connection:
        connection.exec_driver_sql("UPDATE avow_tile SET hashes = zeroblob(length(hashes))")
    answer = customer.get(href)
    assert (answer.status_code, heading(answer)) == (500, "This did not work")


def test_taking_one_adds_nothing_to_the_log(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    gourmet.opened.sequencer.run()
    there = offered(customer)
    assert there

    def traces() -> int:
        with gourmet.opened.vault.store.reading() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM avow_trace").scalar_one())

    before = traces()
    for href in there.values():
        assert customer.get(href).status_code == 200
    assert traces() == before

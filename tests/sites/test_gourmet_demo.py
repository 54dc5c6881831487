"""What the shop shows when it is tried out for the first time, and that it shows it once, by its own doors."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from avow.cli.new import new
from avow.errors import AvowError
from avow.testing.visitor import Visitor

from .conftest import ROOT, SHOP, Peers, Shop, serving
from .staff import basic

#: Seconds after which the examples should have come, on whatever machine.
DEADLINE = 120


class Trial:
    """`avow serve --local-peers` as somebody starts it: what it said, and what it goes on to say on stderr."""

    def __init__(self, site: Path, data: Path, *options: str) -> None:
        command = [sys.executable, "-m", "avow", "serve", str(site), "--port", "0", "--data", str(data)]
        self.process = subprocess.Popen(
            [*command, "--local-peers", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert self.process.stdout is not None
        self.said = ""
        while not self.said.endswith("Ctrl-C.\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.said += line

    def address(self, of: str) -> str:
        """One of the addresses that it printed."""
        found = re.search(rf"{of}\s+(\S+)", self.said)
        assert found, self.said
        return found[1]

    def outside(self) -> str:
        """What has arrived outside, as the peers' page tells it, without its tags."""
        page = httpx.get(self.address("what left it"), trust_env=False).text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))

    def wait_outside(self, *expected: str) -> str:
        """Look at the peers' page until all of this is there."""
        pause = threading.Event()
        for _ in range(DEADLINE * 5):
            text = self.outside()
            if all(re.search(words, text) for words in expected):
                return text
            pause.wait(0.2)
        raise AssertionError(f"not all of {expected} came: {text}")

    def tally(self, anchor: str) -> str:
        """What the privacy page tells of a sentence, once its figures are there."""
        pause = threading.Event()
        for _ in range(DEADLINE * 5):
            page = httpx.get(self.address("its policy"), trust_env=False).text
            fold = page.partition(f'id="{anchor}"')[2].partition("</details>")[0]
            said = re.search(r'class="tally">([^<]*)', fold)
            if said and "Not called upon" not in said[1]:
                return said[1]
            pause.wait(0.2)
        raise AssertionError(f"nothing is told of {anchor}")

    def stop(self) -> str:
        """Stop it; what it said on stderr."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[1]


@contextmanager
def trial(site: Path, data: Path, *options: str) -> Iterator[Trial]:
    running = Trial(site, data, *options)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate(timeout=30)


def orders(data: Path) -> list[str]:
    """The states of the orders in a data folder."""
    with sqlite3.connect(data / "site.db") as database:
        found = [state for (state,) in database.execute("SELECT status FROM shop_order ORDER BY status")]
    database.close()
    return found


def test_the_first_start_brings_orders_an_issue_and_a_question_by_the_shops_own_doors(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with trial(SHOP, data) as shop:
        assert shop.said.count("examples") == 1
        text = shop.wait_outside(
            r"Payment declined", r"\b1 ups\b", r"\b1 olive_press\b", r"\b1 smokehouse\b", r"\b4 mail\b"
        )
        assert text.count("Payment authorised") == 2
        assert "The last quinces, and what to do with them" in text
        assert set(re.findall(r"[\w.]+@[\w.]+\.\w+", text)) <= {
            *(f"{name}@example.org" for name in ("ann", "bob", "dora")),
            "service@quinceandbarrel.example",
            "orders@creamery.example",
        }
        to_bob = text.partition("Dear Bob Example")[2].partition("Quince &amp; Barrel")[0]
        assert "goes to those who pack it" in to_bob
        assert "our packers" not in to_bob
        page = re.search(r"(http://\S+/order/[\w-]+)", to_bob)
        assert page
        assert "goes to its makers" in httpx.get(page[1], trust_env=False).text
        name, password = re.findall(r"name (\S+), password (\S+) ", shop.said)[0]
        desk = httpx.get(
            f"{shop.address('its desks')}/requests",
            headers={"Authorization": basic(name, password)},
            trust_env=False,
        )
        assert "Ann Example" in desk.text
        assert shop.tally("newsletter").startswith("Permitted "), "the ledger is integrated every ten seconds"
        assert shop.stop() == ""
    assert orders(data) == ["declined", "paid", "paid"]
    verified = subprocess.run(
        [sys.executable, "-m", "avow", "ledger", "verify", "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stderr
    with trial(SHOP, data) as again:
        assert "examples" not in again.said
        assert again.stop() == ""
    assert orders(data) == ["declined", "paid", "paid"]


def test_nobody_need_have_them(tmp_path: Path) -> None:
    with trial(SHOP, tmp_path / "data", "--no-demo") as shop:
        assert "examples" not in shop.said
        shop.stop()
    assert orders(tmp_path / "data") == []


def test_where_the_peers_are_real_there_are_none(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, peers) as shop:
        assert "examples" not in shop.said
    assert orders(tmp_path / "data") == []


def test_stopping_it_at_once_is_no_fault(tmp_path: Path) -> None:
    with trial(SHOP, tmp_path / "data") as shop:
        assert "examples" in shop.said
        assert shop.stop() == ""


BROKEN = """

@site.demo
def examples(demo):
    {}
"""


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ('demo.visitor().send("/nowhere", {})', "has no form that goes to `/nowhere`"),
        ('raise ValueError("Zebedee")', "not complete: ValueError."),
    ],
)
def test_what_goes_wrong_with_them_is_one_plain_line_and_the_service_goes_on(
    tmp_path: Path, does: str, said: str
) -> None:
    site = tmp_path / "letter_box"
    new(site)
    app = site / "app.py"
    app.write_text(app.read_text("utf-8") + BROKEN.format(does), "utf-8")
    with trial(site, tmp_path / "data") as running:
        assert running.process.stderr is not None
        line = running.process.stderr.readline()
        assert line.startswith("The examples are not complete: ")
        assert said in line
        assert line.endswith("The site works without them.\n")
        assert "Zebedee" not in line
        assert httpx.get(running.address("the site"), trust_env=False).status_code == 200
        assert running.stop() == ""


# -- the visitor by whom they are made ----------------------------------------------------------------


def test_a_visitor_believes_the_service_s_own_certificate_and_no_other(tmp_path: Path, peers: Peers) -> None:
    issued, other = peers.authority.issue("shop"), peers.authority.issue("other")
    with serving(tmp_path, peers, "--cert", str(issued.certificate), "--key", str(issued.key)) as shop:
        visitor = Visitor(shop.base, certificate=issued.certificate)
        assert visitor.get("/").status == 200
        assert (
            "is in your cart"
            in visitor.send("/cart/add", {"sku": "comte", "quantity": "1"}, page="/products/comte").text
        )
        with pytest.raises(AvowError, match="SSLCertVerificationError"):
            Visitor(shop.base, certificate=other.certificate).get("/")


def test_a_visitor_says_what_is_wrong_and_keeps_secrets_of_paths(shop: Shop) -> None:
    visitor = Visitor(shop.base)
    with pytest.raises(AvowError, match=r"the page `/order/…`, status 404, has no form that goes to `/order/…`"):
        visitor.send("/order/a-secret-of-somebody/pay", {})
    with pytest.raises(AvowError, match="`/newsletter` was answered with status 422"):
        visitor.send("/newsletter", {"email": "x"})
    with pytest.raises(AvowError, match="ConnectionRefusedError"):
        Visitor(shop.base, address=("127.0.0.1", 1)).get("/")

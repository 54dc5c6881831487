"""The gourmet shop, in every way in which a test enters it.

peers      the real peers: card processor, two carriers, three makers, mailbox; with switches to make them fail
gourmet    the site opened in this process, its background work done by hand: `gourmet.work_off()`
shop       the service as a process of its own, over plain HTTP on loopback
tls_shop   the same over TLS
chromium   a browser; `page` is a page of it with scripts, `plain_page` one without. A test names it after the shop,
           so that it is closed first
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from avow.cli.serve import load_site
from avow.outbound.address import Address
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from avow.testing.supplier import HttpsSupplier
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier
from tests.left import left_in
from tests.noted import waiting

from .customer import Customer

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"
CHROMIUM = Path("/usr/bin/chromium")

#: Who sends goods to the customer directly, each over a channel of its own.
MAKERS = ("creamery", "olive_press", "smokehouse")


@dataclass
class Peers:
    """Everybody whom the shop reaches, and the authority that their certificates come from."""

    authority: Authority
    processor: CardProcessor
    ups: Carrier
    fedex: Carrier
    creamery: MailSupplier
    olive_press: HttpsSupplier
    smokehouse: SftpSupplier
    mail: Mailbox

    @property
    def endpoints(self) -> dict[str, Any]:
        """Addresses as the shop is configured with them."""
        found: dict[str, Any] = {name: getattr(self, name).url for name in ("processor", "ups", "fedex", "mail")}
        return found | {name: dict(getattr(self, name).address) for name in MAKERS}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@contextmanager
def every_peer(authority: Authority, folder: Path) -> Iterator[Peers]:
    """All of them, until the block ends."""
    with ExitStack() as stack:
        processor = stack.enter_context(CardProcessor(authority))
        ups = stack.enter_context(Carrier(authority, name="ups"))
        fedex = stack.enter_context(Carrier(authority, name="fedex"))
        makers = (
            stack.enter_context(MailSupplier(authority, name="creamery")),
            stack.enter_context(HttpsSupplier(authority, name="olive_press")),
            stack.enter_context(SftpSupplier(folder, name="smokehouse")),
        )
        mail = stack.enter_context(Mailbox(authority))
        yield Peers(authority, processor, ups, fedex, *makers, mail)


@pytest.fixture
def peers(authority: Authority, tmp_path: Path) -> Iterator[Peers]:
    with every_peer(authority, tmp_path) as running:
        yield running


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(1_795_000_000.0)


@dataclass
class Gourmet:
    """The shop, opened in this process on the folder `data`."""

    site: Any
    data: Path
    clock: FrozenClock
    Order: Any = field(init=False)

    def __post_init__(self) -> None:
        self.Order = next(kind for kind in self.site.home.records if kind.__name__ == "Order")

    @property
    def opened(self) -> Any:
        """The installation."""
        return self.site.opened

    def customer(self, base: str = "https://shop.example", **options: Any) -> Customer:
        """Somebody in front of a browser; the default base makes the connection an encrypted one."""
        return Customer(base, app=self.opened.app, **options)

    def acting(self, purpose: str = "ordering", *, place: str = "checkout", channel: str | None = "https") -> Any:
        """A unit of work of the web shop."""
        return self.site.acting("storefront", purpose, place=place, channel=channel)

    def work_off(self, later: float = 0.0) -> None:
        """Let `later` seconds pass and do what is due, as the background would."""
        self.clock.advance(later)
        # In a thread of its own, as in a service: the test's may run an event loop already, a browser's for one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self.opened.background.round).result()

    def add_page(self, path: str, handler: Any, *, place: str = "shop", purpose: str = "shopping") -> None:
        """A page that somebody on the team wrote without a thought for the policy. Gone when the site is closed."""
        self.site.page(path, role="storefront", purpose=purpose, place=place)(handler)
        self.opened.app.app.routes.append(self.site.routes.pop())

    def texts(self) -> dict[str, list[str]]:
        """Everything that lies sealed in a record, opened with the keys at hand, by category."""
        found: dict[str, list[str]] = {}
        with self.acting() as work:
            for kind in self.site.home.records:
                for record in work.select(kind):
                    for name, spec in kind.__layout__.fields.items():
                        value = getattr(record, name)
                        if value is not None:
                            found.setdefault(spec.category, []).append(value._reveal())
        return found

    def stored(self) -> bytes:
        """Every byte of the data folder, the keys excepted: database, WAL, head."""
        return b"\0".join(content for name, content in left_in(self.data).items() if name != "keyring")

    def entries(self) -> list[dict[str, Any]]:
        """The ledger: what is in its log, then what is pending, in no order."""
        schema = self.site.home.schema
        with self.opened.vault.store.reading() as connection:
            rows = connection.scalars(schema.entry.select().with_only_columns(schema.entry.c.body)).all()
        return [json.loads(bytes(row)) for row in [*rows, *waiting(self.site)]]

    def refused(self, verb: str) -> list[tuple[str, ...]]:
        """The sentences named by the refusals of that verb in the ledger."""
        return [tuple(e["sentences"]) for e in self.entries() if e["event"] == "refused" and e["verb"] == verb]

    def reopen(self, peers: Peers, **endpoints: Any) -> None:
        """Close the shop, if it is open, and open it with these addresses in place of the peers' own."""
        self.site.close()
        addresses = {name: Address.of(value) for name, value in {**peers.endpoints, **endpoints}.items()}
        self.site.open(
            self.data,
            background=False,
            endpoints=addresses,
            ca=peers.authority.ca,
            clock=self.clock,
            timeout=3.0,
            base="https://shop.example",
        )


@pytest.fixture
def gourmet(tmp_path: Path, peers: Peers, clock: FrozenClock) -> Iterator[Gourmet]:
    shop = Gourmet(load_site(SHOP), tmp_path / "data", clock)
    shop.reopen(peers)
    yield shop
    shop.site.close()


# -- the service as a process -------------------------------------------------------------------------


@dataclass
class Shop:
    """The running service: where it is, where it keeps its data, whom it reaches, and what it printed to stderr."""

    base: str
    data: Path
    log: Path
    peers: Peers
    process: subprocess.Popen[str]
    said: str


@contextmanager
def serving(folder: Path, peers: Peers, *options: str) -> Iterator[Shop]:
    """Run `avow serve` on a free port until the block ends."""
    endpoints, log = folder / "endpoints.yaml", folder / "log"
    endpoints.write_text(json.dumps(peers.endpoints))
    command = [sys.executable, "-m", "avow", "serve", str(SHOP), "--port", "0", "--data", str(folder / "data")]
    command += ["--ledger-every", "1"]  # nobody waits an hour for a figure on the privacy page
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*command, "--endpoints", str(endpoints), "--ca", str(peers.authority.ca), *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=ROOT,
        )
    assert process.stdout is not None
    try:
        said = ""
        while not said.endswith("Ctrl-C.\n"):
            line = process.stdout.readline()
            assert line, f"the shop did not start: {log.read_text()}"
            said += line
        found = re.search(r"the site\s+(\S+)/\n", said)
        assert found, said
        yield Shop(found[1], folder / "data", log, peers, process, said)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def shop(tmp_path: Path, peers: Peers) -> Iterator[Shop]:
    with serving(tmp_path, peers) as running:
        yield running


@pytest.fixture
def tls_shop(tmp_path: Path, peers: Peers) -> Iterator[Shop]:
    issued = peers.authority.issue("shop")
    with serving(tmp_path, peers, "--cert", str(issued.certificate), "--key", str(issued.key)) as running:
        yield running


# -- the browser --------------------------------------------------------------------------------------

#: Quiet, and without what a container does not offer.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")  # not longer: while it is there, an event loop runs in the thread of the tests
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM.exists(), f"there is no browser at {CHROMIUM}: install it (make packages)"
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Any) -> Iterator[Any]:
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def plain_page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(
        ignore_https_errors=True, java_script_enabled=False, viewport={"width": 1280, "height": 900}
    )
    yield context.new_page()
    context.close()

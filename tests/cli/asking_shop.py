"""A shop in which somebody has asked to be erased: a ledger with a few entries, for commands."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from avow.cli.serve import load_site
from avow.errors import Refused
from tests.structure.tree import ROOT

SHOP = ROOT / "sites/gourmet"


def asked(data: Path) -> Any:
    """The shop, opened on a new folder, in which somebody has asked to be erased."""
    site: Any = load_site(SHOP)
    site.open(data, background=False)
    kinds = {kind.__name__: kind for kind in site.home.records}
    with site.acting("storefront", "objections", place="order_page", channel="https") as work:
        work.collect(kinds["Erasure"], person=work.person(), asked="today", state="pending", wished=work.now)
    site.opened.sequencer.run()  # at once: its hour is not over
    return site


def refused(site: Any) -> None:
    """Somebody tries to keep a card number."""
    with suppress(Refused), site.acting("storefront", "ordering") as work:
        work.unit.judge("keep", "card.number", subject="customer")


def used(data: Path) -> None:
    """Somebody asks a shop to be erased, and somebody tries three times to keep a card number."""
    site = asked(data)
    for _ in range(3):
        refused(site)
    site.opened.sequencer.run()
    site.close()

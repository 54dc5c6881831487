"""The report: what is asked for, and where visits come from. It improves the selection, and tells of nobody.

Each figure is one of many people; `avow.vault.counts` says how that is kept. What a visit holds is its time, the page
that it came from and the browser, so that is what the report knows of visits; which shelf was looked at, nobody notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.responses import Response

from avow import Work

from .desk import EVERYBODY
from .records import Order
from .shop import site

#: No figure tells of fewer people (the policy's `counts(group 10)`).
GROUP = 10

#: A period is over with the first day by which it has so many people: three groups, so that its tables have rows.
PERIOD = 30

#: Periods on the page, the latest ones.
LATEST = 12

_GOODS = re.compile(r"[0-9]+ × (.+) \([^()\n]*\): \$[0-9,.]+")


def goods(items: str) -> Iterator[str]:
    """The products of an order, as its text names them."""
    for line in items.split("\n"):
        if found := _GOODS.fullmatch(line):
            yield found[1]


def host(referrer: str) -> Iterator[str]:
    """The site that a visit came from."""
    yield urlsplit(referrer).hostname or "no other page: typed in, or a bookmark"


def browser(said: str) -> Iterator[str]:
    """The browser's brand and version."""
    yield said or "none said"


@site.page("/desk/report", place="report", role=EVERYBODY, purpose="selection", staff=True)
def show_report(work: Work) -> Response:
    """The latest periods of orders and of visits, the last one first."""
    assert site.visit is not None  # the policy has what a visit is noted with
    counts = work.counts("demand", group=GROUP, by="storefront")
    paid = work.select(Order, Order.status == "paid")
    orders = [
        (period, counts.by(period.records, what=lambda order: order.items, cells=goods))
        for period in counts.periods(paid, when=lambda order: order.authorisation, least=PERIOD)[-LATEST:]
    ]
    visits = [
        (
            period,
            counts.by_day(period.records, when=lambda visit: visit.time),
            counts.by(period.records, what=lambda visit: visit.referrer, cells=host),
            counts.by(period.records, what=lambda visit: visit.browser, cells=browser),
        )
        for period in counts.periods(work.select(site.visit), when=lambda visit: visit.time, least=PERIOD)[-LATEST:]
    ]
    return work.render("desk/report.html", orders=orders[::-1], visits=visits[::-1], group=GROUP, period=PERIOD)

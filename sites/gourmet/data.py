"""Everything that the shop holds about somebody, on a page and as a file, and what happened to it.

For who is logged in, and for a guest. Each entry of the log is there as a receipt too.

Who is logged in has proven an address; with what belongs to the account they get what is held about each person who is
known by it. Who holds the link to an order that was placed without an account gets what is held with that order.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from avow import Work

from . import erasure, profile
from .records import Order
from .shop import site

#: What browsers call the file.
FILE = "quince-and-barrel.json"


def _own(work: Work) -> list[Any]:
    """A record of each person whom who is logged in is known as; none where nobody is."""
    account = profile.account_of(work)
    return [] if account is None else [account, *erasure.known_by(work, account.email)]


def _of_account(work: Work) -> Any | None:
    """What is held about who is logged in; None where nobody is."""
    own = _own(work)
    return work.holdings(*own, fact="logged_in(subject)") if own else None


def _page(work: Work, held: Any, back: str, words: str) -> Response:
    return work.render("data.html", held=held, back=back, back_words=words, here=work.current_path)


@site.page("/account/data", place="data_page", role="storefront", purpose="account_keeping")
def show_own(work: Work) -> Response:
    """Everything, for who is logged in."""
    held = _of_account(work)
    return _page(work, held, "/account", "Back to your account") if held else profile.to_log_in(work)


@site.page("/account/data.json", place="data_page", role="storefront", purpose="account_keeping")
def take_own(work: Work) -> Response:
    """The same as a file."""
    held = _of_account(work)
    return work.export(held, FILE) if held else profile.to_log_in(work)


def _log(work: Work, log: Any, back: str, words: str) -> Response:
    return work.render("my_log.html", log=log, back=back, back_words=words, here=work.current_path)


@site.page("/account/log", place="data_page", role="storefront", purpose="account_keeping")
def show_log(work: Work) -> Response:
    """What happened to it, for who is logged in."""
    own = _own(work)
    if not own:
        return profile.to_log_in(work)
    log = work.my_log(*own, fact="logged_in(subject)", page=work.query.get("page", "1"))
    return _log(work, log, "/account/data", "Back to everything we hold")


def _receipt(work: Work, own: list[Any], fact: str) -> Response:
    return work.log_receipt(*own, fact=fact, commitment=work.path["commitment"])


@site.page("/account/log/{commitment}.tlog-proof", place="data_page", role="storefront", purpose="account_keeping")
def take_receipt(work: Work) -> Response:
    """The receipt of one of its entries, for who is logged in."""
    own = _own(work)
    return _receipt(work, own, "logged_in(subject)") if own else profile.to_log_in(work)


def _guest(work: Work, instead: str) -> Any | Response:
    """The order that a guest has shown the link to, or where to go on. The link to an order opens no account."""
    order = work.presented(Order, work.path["token"])
    if order is None:
        return work.redirect(f"/order/{work.path['token']}")  # which says that there is none
    if erasure.has_account(work, order):
        return work.redirect(instead)
    return order


def _of_order(work: Work) -> Any | Response:
    """What is held about who placed an order as a guest."""
    order = _guest(work, "/account/data")
    return order if isinstance(order, Response) else work.holdings(order, fact="presented(link)")


@site.page("/order/{token}/data", place="data_page", role="storefront", purpose="ordering")
def show_of_order(work: Work) -> Response:
    """Everything that came with an order."""
    held = _of_order(work)
    if isinstance(held, Response):
        return held
    return _page(work, held, f"/order/{work.path['token']}", "Back to the order")


@site.page("/order/{token}/data.json", place="data_page", role="storefront", purpose="ordering")
def take_of_order(work: Work) -> Response:
    """The same as a file."""
    held = _of_order(work)
    return held if isinstance(held, Response) else work.export(held, FILE)


@site.page("/order/{token}/log", place="data_page", role="storefront", purpose="ordering")
def show_log_of_order(work: Work) -> Response:
    """What happened to what came with an order."""
    order = _guest(work, "/account/log")
    if isinstance(order, Response):
        return order
    log = work.my_log(order, fact="presented(link)", page=work.query.get("page", "1"))
    return _log(work, log, f"/order/{work.path['token']}/data", "Back to everything we hold")


@site.page("/order/{token}/log/{commitment}.tlog-proof", place="data_page", role="storefront", purpose="ordering")
def take_receipt_of_order(work: Work) -> Response:
    """The receipt of one of its entries."""
    order = _guest(work, "/account/log")
    return order if isinstance(order, Response) else _receipt(work, [order], "presented(link)")

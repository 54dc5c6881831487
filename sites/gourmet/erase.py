"""How one has the shop erase what it has: by a mailed link, or on the page of an order. With an account, see `profile`.

On the page for it (`/erase`) an address is typed in. If somebody is known by it, one mail an hour goes there, with a
link that is good until the end of the next day; whoever follows it reads the mail of that address. The answer is the
same whatever we know, and what was typed in is not stored.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import Response

from avow import Refused, Sealed, Work
from avow.edge import form as ask
from avow.edge.form import Form

from . import erasure
from .records import Order
from .shop import site

#: Seconds in which one address gets one mail.
APART = 3600.0


class Address(Form):
    """The address to which the link goes."""

    email = ask.email("contact.email", "Your e-mail address")


# -- by a mailed link ---------------------------------------------------------------------------------


def show_ask(work: Work, form: Form) -> Response:
    """What erasing means and each way to ask for it."""
    sent = "sent" in work.query and not form.sent
    return work.render("erase_ask.html", form=form, sent=sent, thinking=erasure.THINKING)


@site.form("/erase", Address, place="erase_page", role="storefront", purpose="objections", page=show_ask)
def send_link(work: Work, form: Form) -> Response:
    """Mail a link to the address that was typed in, if somebody is known by it. The page does not say whether."""
    address = form.given("email")
    if not work.attempt("erase", address, free=1, wait=APART):
        _mail(work, address)
    return work.redirect("/erase?sent")


def _mail(work: Work, address: Sealed) -> None:
    for record in erasure.known_by(work, address)[:1]:
        try:
            work.send("erasing", record, edition=_edition(record, _today(work)))
        except Refused as refused:  # they have told us to send them no mail, which the page does not say either
            if refused.verdict is None:
                raise


def _edition(record: Any, day: int) -> str:
    """What a link is bound to, beside its record: the day on which it was sent, and the address to which it went."""
    return f"{day}-{(record.email_ix or b'').hex()[:24]}"


def _today(work: Work) -> int:
    return int(work.now // 86400)


def _people(work: Work) -> list[Any]:
    """One record for each person about whom the mailed link is; none if it is not, or not any more, good."""
    for kind, *_ in erasure.KINDS:
        for day in (_today(work), _today(work) - 1):
            record = work.found(kind, work.path["secret"], partial(_use, day))
            if record is not None:
                return erasure.known_by(work, record.email)
    return []


def _use(day: int, record: Any) -> str:
    return f"erasure:{_edition(record, day)}"


def show_link(work: Work, form: Form) -> Response:
    """What we have, in words, and which wishes wait. Looking at it changes nothing."""
    people = _people(work)
    if not people:
        return _lost(work)
    wishes = [(record, erasure.pending(work, record)) for record in people]
    waiting = [
        (
            work.aside(wish, "presented(link)", purpose="objections"),
            wish.day,
            erasure.held(work, [record]),
            work.receipt(record),
        )
        for record, wish in wishes
        if wish is not None
    ]
    rest = erasure.held(work, [record for record, wish in wishes if wish is None])
    here = f"/erase/{work.path['secret']}"
    return work.render("erase_link.html", waiting=waiting, rest=rest, here=here, thinking=erasure.THINKING)


@site.form(
    "/erase/{secret}", erasure.Erase, place="erase_page", role="storefront", purpose="objections", page=show_link
)
def erase(work: Work, form: Form) -> Response:
    """Note the wish of each person who is known by the address, or take it back."""
    people = _people(work)
    if not people:
        return _lost(work)
    erasure.decide(work, people, form)
    return work.redirect(f"/erase/{work.path['secret']}")


def _lost(work: Work) -> Response:
    return work.render("erase_lost.html", status=404)


# -- whether it was done ------------------------------------------------------------------------------


@site.page("/erased/{receipt}", place="erase_page", role="storefront", purpose="objections")
def show_erased(work: Work) -> Response:
    """How far it is, for whoever holds the receipt. It says nothing else about anybody: there is nothing left."""
    erased = work.erased(work.path["receipt"])
    days = None
    if erased is not None:
        shredded = erasure.day_of(erased.shredded * 3600.0) if erased.shredded is not None else None
        days = erasure.day_of(erased.hour * 3600.0), shredded
    return work.render("erased.html", days=days, thinking=erasure.THINKING)


# -- on the page of an order --------------------------------------------------------------------------


def beside(work: Work, order: Order) -> dict[str, Any]:
    """What the page of an order says about erasing: whether an account is needed for it, and the wish that waits."""
    account, waiting = erasure.has_account(work, order), erasure.pending(work, order)
    return {
        "account": account,
        "pending": waiting,
        "thinking": erasure.THINKING,
        "receipt": work.receipt(order) if waiting else None,
    }


def _to_order(work: Work, form: Form) -> Response:
    return work.redirect(f"/order/{work.path['token']}#erase")


@site.form(
    "/order/{token}/erase",
    erasure.Erase,
    place="order_page",
    role="storefront",
    purpose="objections",
    page=_to_order,
)
def erase_order(work: Work, form: Form) -> Response:
    """Note the wish of whoever placed the order as a guest, or take it back. One link to an order ends no account."""
    order = work.presented(Order, work.path["token"])
    if order is not None and not erasure.has_account(work, order):
        erasure.decide(work, [order], form)
    return _to_order(work, form)

"""The shop's pages: shelves, cart, guest checkout, payment, and the page of an order behind its secret link.

Nothing here decides what may be done with personal information: `policy.md` does.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import Response

from avow import Work
from avow.edge.form import Form

from . import (  # noqa: F401  # each declares its routes, its jobs, or what is known and done
    data,
    demo,
    desk,
    erase,
    facts,
    frame,
    held,
    login,
    mailroom,
    maker,
    new_address,
    newsletter,
    offers,
    ordering,
    phone,
    profile,
    report,
    request,
    signup,
    stop,
)
from .cart import LIMIT, Cart
from .catalogue import CATALOGUE, money, shelves
from .forms import CARRIERS, Add, Card, Change, Checkout
from .records import Order
from .shop import site


def page(work: Work, name: str, *, status: int = 200, **context: Any) -> Response:
    """A page of the shop, with the number of goods in the cart at its top."""
    cart = context.get("cart") or Cart.decode(work.cookie("cart"))
    return work.render(name, status=status, count=cart.count, **context)


def lost(work: Work) -> Response:
    """A page for a link that leads to no order."""
    return page(
        work,
        "notice.html",
        status=404,
        title="This page is not there",
        text=[
            "We know no order under this address.",
            "Please check that the link is complete: it may have been cut in two by a line break in the mail.",
        ],
    )


@site.page("/", place="shop", role="storefront", purpose="shopping")
def home(work: Work) -> Response:
    """The shelves."""
    return page(work, "home.html", shelves=shelves())


@site.page("/products/{sku}", place="shop", role="storefront", purpose="shopping")
def product(work: Work) -> Response:
    """One product, and what goes well with it."""
    found = CATALOGUE.get(work.path["sku"])
    if found is None:
        text = ["It may have been sold out for the season, or the address has a slip in it."]
        return page(work, "notice.html", status=404, title="We do not have this", text=text)
    beside = [other for other in CATALOGUE.values() if other.shelf != found.shelf]
    start = list(CATALOGUE).index(found.sku) * 5 % len(beside)
    return page(work, "product.html", product=found, limit=LIMIT, beside=(beside + beside)[start : start + 4])


# -- the cart -----------------------------------------------------------------------------------------


def show_cart(work: Work, form: Form) -> Response:
    """The cart. It follows a change by redirect, so a cart that is gone then means that cookies are off."""
    cookie = work.cookie("cart")
    added = CATALOGUE.get(work.query.get("added", ""))
    return page(
        work,
        "cart.html",
        cart=Cart.decode(cookie),
        cookies_off=cookie is None and added is not None,
        added=added.name if added else None,
        error=next(iter(form.errors.values()), None),
        cheapest=money(min(carrier.cents for carrier in CARRIERS.values())),
        limit=LIMIT,
    )


@site.form("/cart/add", Add, place="cart", role="storefront", purpose="shopping", page=show_cart)
def add(work: Work, form: Form) -> Response:
    """Put some more of a product into the cart."""
    cart = Cart.decode(work.cookie("cart"))
    cart.add(str(form["sku"]), int(str(form["quantity"])))
    work.set_cookie("cart", cart.encode())
    return work.redirect(f"/cart?added={form['sku']}")


@site.form("/cart", Change, place="cart", role="storefront", purpose="shopping", page=show_cart)
def change(work: Work, form: Form) -> Response:
    """Set how many of a product the cart holds; none takes it out."""
    cart = Cart.decode(work.cookie("cart"))
    cart.put(str(form["sku"]), int(str(form["quantity"])))
    if cart:
        work.set_cookie("cart", cart.encode())
    else:
        work.forget_cookie("cart")
    return work.redirect("/cart")


# -- ordering and paying ------------------------------------------------------------------------------


def show_checkout(work: Work, form: Form) -> Response:
    """The checkout form. Its ticket tells a form that is sent twice from two orders."""
    cart = Cart.decode(work.cookie("cart"))
    if not cart:
        return work.redirect("/cart")
    if form.sent:
        ordering.chosen_carrier(form, cart)  # with the rest of what is wrong, not after it
    mine = login.who(work)
    if mine is not None and not form.sent:
        form = Checkout.prefilled(email=mine.email, **{name: getattr(mine, name) for name in profile.Details.declared})
    return page(
        work,
        "checkout.html",
        form=form,
        cart=cart,
        carriers=[(carrier, money(cart.cents + carrier.cents)) for carrier in CARRIERS.values()],
        own=bool(maker.own_lines(cart)),
        makers=maker.senders(cart),
        ticket=form["ticket"] or secrets.token_urlsafe(18),
        logged_in=mine is not None,
    )


@site.form("/checkout", Checkout, place="checkout", role="storefront", purpose="ordering", page=show_checkout)
def place_order(work: Work, form: Form) -> Response:
    """Keep the order, then have it paid. Nothing of the card is kept, whatever comes of it."""
    # Kept as a keyed hash: whoever reads the database must not be able to send the form again in somebody's place.
    ticket = work.fingerprint(str(form["ticket"] or secrets.token_urlsafe(18)))
    for order in work.select(Order, Order.ticket == ticket):  # the button was pressed twice
        return work.redirect(f"/order/{work.secret(order)}")
    cart = Cart.decode(work.cookie("cart"))
    if not cart:
        return work.redirect("/cart")
    mine = login.who(work)
    carrier = ordering.chosen_carrier(form, cart)
    if not form.valid:
        return show_checkout(work, form)
    order = ordering.store(
        work, form, cart, person=mine.avow_person if mine else work.person(), carrier=carrier, ticket=ticket
    )
    if form["newsletter"]:
        newsletter.wish(work, form["email"], place="checkout", person=order.avow_person)
    work.forget_cookie("cart")
    ordering.pay(work, order, form)
    return work.redirect(f"/order/{work.secret(order)}")


@site.page("/order/{token}", place="order_page", role="storefront", purpose="ordering")
def show_order(work: Work) -> Response:
    """Where an order stands, for whoever holds its secret link; after the checkout, the confirmation."""
    order = work.presented(Order, work.path["token"])
    if order is None:
        return lost(work)
    here = f"/order/{work.path['token']}"
    carrier = CARRIERS[order.carrier].label if order.carrier else None
    parts = maker.parts_of(work, order)
    return page(
        work,
        "order.html",
        order=order,
        carrier=carrier,
        parcels=parts,
        here=here,
        pay=f"{here}/pay",
        erasing=erase.beside(work, order),
    )


def show_pay(work: Work, form: Form) -> Response:
    """The card is typed in once more: nobody has kept it."""
    order = work.presented(Order, work.path["token"])
    if order is None:
        return lost(work)
    back = f"/order/{work.path['token']}"
    if order.status not in ordering.PAYABLE:
        return work.redirect(back)
    return page(work, "pay.html", order=order, form=form, back=back, pay=f"{back}/pay")


@site.form("/order/{token}/pay", Card, place="pay_page", role="storefront", purpose="ordering", page=show_pay)
def pay_again(work: Work, form: Form) -> Response:
    """Try to pay an order that is known to be unpaid."""
    order = work.presented(Order, work.path["token"])
    if order is None:
        return lost(work)
    if order.status not in ordering.PAYABLE:  # paid meanwhile, or not known: never charge twice
        return work.redirect(f"/order/{work.path['token']}")
    work.update(order, status="unknown")
    ordering.pay(work, order, form)
    return work.redirect(f"/order/{work.path['token']}")

"""A customer's own pages: everything that the shop has about them, and how they correct it or have it erased.

What other modules hold of a customer they show here themselves:

    @profile.section("Your questions", "profile/questions.html")
    def questions(work, account):
        return {"questions": work.select(Request, Request.customer == account.customer)}

    @profile.own_form("/account/questions/remove", TakeBack)
    def take_back(work, form, account):
        …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from starlette.responses import Response

from avow import Sealed, Work
from avow.edge import form as ask
from avow.edge.form import Form

from . import account as accounts
from . import agreement, erasure, login, passkey
from .account import ADDRESS, REST_OF_ADDRESS, Account
from .forms import Checkout
from .password import fits, new_password, own_password
from .records import Order
from .shop import site

#: What a module holds of the owner of an account, as its template's context; None to show nothing.
Held = Callable[[Work, Account], Mapping[str, Any] | None]

#: What answers a form, and what does so for the owner of an account.
Answer = Callable[[Work, Form], Response]
OwnAnswer = Callable[[Work, Form, Account], Response]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the own pages: its heading, the template within it, and what that shows."""

    title: str
    template: str
    held: Held


#: In the order in which they stand on the page.
SECTIONS: list[Section] = []


def section(title: str, template: str) -> Callable[[Held], Held]:
    """Declare a part of the own pages. The template finds what the function returns as `held`."""

    def declare(held: Held) -> Held:
        SECTIONS.append(Section(title, template, held))
        return held

    return declare


class Details(Form):
    """Name and delivery address."""

    name = Checkout.declared["name"]
    street, unit, city, region, postcode, country = (
        ask.text(spec.category, spec.label, maximum=spec.maximum, required=False, autocomplete=spec.autocomplete)
        for spec in (Checkout.declared[name] for name in ("street", "unit", "city", "region", "postcode", "country"))
    )


class ChangePassword(Form):
    """Another password."""

    password = own_password("Your present password", required=False)
    new_password = new_password("New password")


# -- the page -----------------------------------------------------------------------------------------


def account_of(work: Work) -> Account | None:
    """Whose own pages these are; None where nobody is logged in."""
    return login.who(work)


def to_log_in(work: Work) -> Response:
    """The answer where nobody is logged in. If the browser has just been given the cookie for it, it keeps none."""
    return work.render("cookies_off.html") if {"in", "new"} & work.query.keys() else work.redirect("/login?to=account")


def own(answer: OwnAnswer) -> Answer:
    """Have a form, or what shows it, answered with the account of who is logged in; others are led to the log-in."""

    @wraps(answer)
    def answered(work: Work, form: Form) -> Response:
        account = account_of(work)
        return to_log_in(work) if account is None else answer(work, form, account)

    return answered


def to_own_pages(work: Work, form: Form) -> Response:
    """What shows a form that is but a button on the own pages."""
    return work.redirect("/account")


def own_form(path: str, form: type[Form], page: Answer = to_own_pages) -> Callable[[OwnAnswer], Answer]:
    """Declare what a form of the own pages does, for who is logged in; see `Site.form`."""
    declare = site.form(path, form, place="profile", role="storefront", purpose="account_keeping", page=page)
    return lambda answer: declare(own(answer))


@site.page("/account", place="profile", role="storefront", purpose="account_keeping")
def show_account(work: Work) -> Response:
    """Everything that the shop has about who is logged in."""
    account = account_of(work)
    if account is None:
        return to_log_in(work)
    held = [(part, part.held(work, account)) for part in SECTIONS]
    return work.render(
        "account.html",
        account=account,
        sections=[(part.title, part.template, found) for part, found in held if found is not None],
        passkeys=passkey.of(work, account),
        possible=passkey.possible(work),
        challenge=passkey.challenge(work, f"add {account.customer}"),
        rp=passkey.party(work),
        pending=erasure.pending(work, account),
        agreeing=agreement.asked(work, account),
        said=next((word for word in SAID if word in work.query), None),
    )


#: What has just been done, by the word in the address that says so.
SAID = ("new", "password", "details", "email", "moving", "passkey", "nopasskey", "removed", "taken", "agreed")


@section("Your orders", "profile/orders.html")
def orders(work: Work, account: Account) -> Mapping[str, Any]:
    """The orders that were placed while logged in, the latest first, each with its page."""
    mine = sorted(work.select(Order, Order.customer == account.customer), key=lambda order: -order.items.hour)
    return {"orders": [(order, f"/order/{work.secret(order)}") for order in mine]}


# -- correcting ---------------------------------------------------------------------------------------


@own
def show_details(work: Work, form: Form, account: Account) -> Response:
    """The form for name and address, with what stands there now."""
    if not form.sent:
        form = Details.prefilled(**{name: getattr(account, name) for name in Details.declared})
    return work.render("details.html", form=form)


@own_form("/account/details", Details, page=show_details)
def correct(work: Work, form: Form, account: Account) -> Response:
    """Put name and address in the place of what stood there; an address that was emptied is taken out."""
    if any(form[name] is not None for name in (*ADDRESS, *REST_OF_ADDRESS)):
        for name in ADDRESS:
            if form[name] is None:
                form.fail(name, "An address needs this. Leave all of it empty if you want none kept.")
    if not form.valid:
        return show_details(work, form)
    work.update(account, **{name: form[name] for name in Details.declared})
    return work.redirect("/account?details")


@own
def show_password(work: Work, form: Form, account: Account) -> Response:
    """The form for another password."""
    return work.render("password.html", form=form, account=account)


@own_form("/account/password", ChangePassword, page=show_password)
def change_password(work: Work, form: Form, account: Account) -> Response:
    """Set another password; every other browser is logged out."""
    if not is_theirs(work, account, form):
        return show_password(work, form)
    login.set_password(work, account, form.given("new_password"))
    return work.redirect("/account?password")


def is_theirs(work: Work, account: Account, form: Form) -> bool:
    """Whether who is at the browser knows the account's password, where it has one; fails the form otherwise."""
    if account.password is None:
        return True
    if wait := work.attempt("login", account.email):
        form.fail("password", accounts.too_often(wait))
        return False
    given = form["password"]
    if not isinstance(given, Sealed) or not fits(work, given, account.password):
        form.fail("password", "This is not your present password.")
        return False
    work.succeeded("login", account.email)
    return True


# -- passkeys -----------------------------------------------------------------------------------------


def _only_by_button(work: Work, form: Form) -> Response:
    return work.redirect("/account?nopasskey" if form.sent else "/account")


@own_form("/account/passkeys", passkey.Answer, page=_only_by_button)
def add_passkey(work: Work, form: Form, account: Account) -> Response:
    """Keep the passkey that the browser has made."""
    return work.redirect("/account?passkey" if passkey.add(work, account, form) else "/account?nopasskey")


@own_form("/account/passkeys/remove", passkey.Remove, page=_only_by_button)
def remove_passkey(work: Work, form: Form, account: Account) -> Response:
    """Remove a passkey."""
    passkey.remove(work, account, form)
    return work.redirect("/account?removed")


# -- a newer version of the policy --------------------------------------------------------------------


@own_form("/account/version", agreement.Agree)
def agree(work: Work, form: Form, account: Account) -> Response:
    """Agree to the version in force for what was given before it."""
    agreement.agree(work, account)
    return work.redirect("/account?agreed")


# -- erasure ------------------------------------------------------------------------------------------


@own
def show_erase(work: Work, form: Form, account: Account) -> Response:
    """What erasure means, and the wish that waits if there is one."""
    pending = erasure.pending(work, account)
    receipt = work.receipt(account) if pending else None
    return work.render("erase.html", pending=pending, receipt=receipt, thinking=erasure.THINKING)


@own_form("/account/erase", erasure.Erase, page=show_erase)
def erase(work: Work, form: Form, account: Account) -> Response:
    """Note the wish to be erased, or take it back: with the account all else that is known by its proven address."""
    erasure.decide(work, erasure.known_by(work, account.email), form)
    return work.redirect("/account/erase")

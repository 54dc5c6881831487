"""Opening an account, and the proof that its address is theirs.

An account counts once the link that was mailed to its address has been followed; until then nobody can log in to it,
and after a day it is let go. The page says the same whether or not the address has an account already: only its mailbox
learns that.
"""

from __future__ import annotations

from starlette.responses import Response

from avow import Sealed, Work
from avow.edge import form as ask
from avow.edge.form import Form

from . import login
from .account import PROOF, Account, find, lost, notify, too_often
from .password import hashed, new_password
from .shop import site


class SignUp(Form):
    """A new account."""

    name = ask.text("contact.name", "Your name", maximum=80, autocomplete="name")
    email = ask.email("contact.email", "E-mail address", hint="We send a link there, to see that it is yours.")
    password = new_password(
        required=False,
        hint="12 to 128 characters of any kind. Leave it empty if you want to log in with a passkey: you make it once "
        "you have followed our link.",
    )


class Proof(Form):
    """The button under a mailed link. Programs that look through mail follow links; they press no buttons."""


def show_sign_up(work: Work, form: Form) -> Response:
    """The form for a new account, or the word that a mail is on its way."""
    return work.render("signup.html", form=form, sent="sent" in work.query and not form.sent)


@site.form("/signup", SignUp, place="signup", role="storefront", purpose="account_keeping", page=show_sign_up)
def sign_up(work: Work, form: Form) -> Response:
    """Keep the account until the mailed link is followed. Who has one already is told so, by mail."""
    if wait := work.attempt("mail", form.given("email")):  # nobody's mailbox is filled from here
        form.fail("email", too_often(wait))
        return show_sign_up(work, form)
    for old in work.select(Account, Account.proven.is_(False), Account.until < work.now):
        work.db.delete(old)
    given = form["password"]
    kept = hashed(work, given) if isinstance(given, Sealed) else None
    known = find(work, form.given("email"))
    if known is not None:
        notify(work, known, "known")
    else:
        account = work.collect(
            Account,
            person=work.person(),
            name=form["name"],
            email=form.given("email"),
            password=kept,
            proven=False,
            revision=0,
            until=work.now + PROOF,
        )
        notify(work, account, "signup")
    return work.redirect("/signup?sent")


def _unproven(work: Work) -> Account | None:
    account = work.found(Account, work.path["secret"], "signup")
    return account if account is not None and not account.proven and account.until > work.now else None


def show_proof(work: Work, form: Form) -> Response:
    """Where the mailed link leads: one button."""
    return work.render("signup_link.html") if _unproven(work) else lost(work)


@site.form("/signup/{secret}", Proof, place="signup", role="storefront", purpose="account_keeping", page=show_proof)
def prove(work: Work, form: Form) -> Response:
    """The address is theirs: the account counts, and they are logged in."""
    account = _unproven(work)
    if account is None:
        return lost(work)
    if find(work, account.email) is not None:  # two were opened, and the other link was followed first
        work.db.delete(account)
        return work.redirect("/login")
    work.update(account, proven=True, until=0.0)
    work.succeeded("mail", account.email)
    login.begin(work, account)
    return work.redirect("/account?new")

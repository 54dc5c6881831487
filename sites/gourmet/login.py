"""Who is logged in: the session of one browser, logging in and out, and a new password for who has forgotten theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Sealed, Work, owner, plain
from avow.edge import form as ask
from avow.edge.form import Form

from . import account as accounts
from . import greeting, passkey, tokens
from .password import dated, fits, hashed, new_password, own_password
from .shop import site

if TYPE_CHECKING:
    from .account import Account

#: Seconds without a request after which a browser is no longer logged in, and how finely that is noted: the database
#: need not say to the second when somebody was here.
IDLE, STEP = 12 * 3600, 600

#: Where a browser goes on to after it has logged in.
ONWARD = {"account": "/account", "checkout": "/checkout"}


class Login(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One browser that is logged in."""

    __tablename__ = "shop_login"
    __label__ = "A browser that is or was logged in"
    __stays__ = "a browser is logged in to this shop, by a number that only this one knows"

    customer: Mapped[str] = owner()
    token: Mapped[str] = plain("keyed hash of the number in the cookie", unique=True)
    bond: Mapped[str] = plain("keyed hash of that number and of whose it is")
    until: Mapped[float] = plain("unix seconds at which it ends unless it is used, in steps of ten minutes", index=True)
    opened: Mapped[str | None] = plain("keyed hash of the passkey's answer that it began with", unique=True)


class LogIn(Form):
    """Logging in."""

    email = ask.email("contact.email", "E-mail address", autocomplete="username")
    password = own_password()
    to = ask.choice(None, "Onward", ONWARD, required=False)


class Forgotten(Form):
    """The address to which a link for a new password goes."""

    email = ask.email("contact.email", "E-mail address")


class NewPassword(Form):
    """A password in the place of one that was forgotten."""

    password = new_password("New password")


class LogOut(Form):
    """Logging out, and perhaps being forgotten by this shop on this browser."""

    forget = ask.choice(None, "Forget this browser", {"yes": "yes"}, required=False)


# -- the session --------------------------------------------------------------------------------------


def who(work: Work) -> Account | None:
    """The account that this browser is logged in to, or None. They are the one who is looking from then on."""
    found: Login | None = tokens.holder(work, Login, "login", work.cookie("login"))
    if found is None or found.until <= work.now:
        return None
    account = accounts.of_person(work, found.customer)
    if account is None:
        return None
    if (until := _until(work)) > found.until:
        table = Login.__table__
        work.db.execute(table.update().where(table.c.token == found.token).values(until=until))
    work.recognise(account, "logged_in(subject)")
    return account


def begin(work: Work, account: Account, *, opened: str | None = None) -> None:
    """Log this browser in, under a new number, and know it again at later visits."""
    work.db.execute(delete(Login).where(Login.until <= work.now - passkey.GOOD))
    end(work)
    number = tokens.draw()
    work.collect(
        Login,
        person=account.avow_person,
        **tokens.columns(work, "login", number, account.customer),
        until=_until(work),
        opened=opened,
    )
    work.set_cookie("login", number)
    work.recognise(account, "logged_in(subject)")
    greeting.remember(work, account)


def end(work: Work) -> None:
    """Log this browser out. Its row stays for as long as the passkey's answer that opened it could be sent again."""
    found = tokens.holder(work, Login, "login", work.cookie("login"))
    if found is not None:
        work.update(found, until=min(found.until, work.now))
    work.forget_cookie("login")


def end_all(work: Work, account: Account) -> None:
    """Log every browser out that is logged in to an account, and know none of them again."""
    for found in work.select(Login, Login.customer == account.customer):
        work.update(found, until=min(found.until, work.now))
    greeting.forget_all(work, account)


def _until(work: Work) -> float:
    return float((work.now + IDLE) // STEP * STEP)


# -- logging in and out -------------------------------------------------------------------------------


def show_log_in(work: Work, form: Form) -> Response:
    """The form for logging in."""
    onward = work.query.get("to", "") if not form.sent else str(form["to"] or "")
    return work.render(
        "login.html",
        form=form,
        to=onward if onward in ONWARD else "account",
        passkeys=passkey.possible(work),
        challenge=passkey.challenge(work, "login"),
        rp=passkey.party(work),
        failed="passkey" in work.query,
    )


@site.form("/login", LogIn, place="login", role="storefront", purpose="account_keeping", page=show_log_in)
def log_in(work: Work, form: Form) -> Response:
    """Log in with address and password. An unknown address gets the answer of a wrong password, and as late."""
    if wait := work.attempt("login", form.given("email")):
        form.fail("email", accounts.too_often(wait))
        return show_log_in(work, form)
    account = accounts.find(work, form.given("email"))
    given = form.given("password")
    if not fits(work, given, account.password if account else None) or account is None:
        form.fail("password", "This address and this password do not belong together.")
        return show_log_in(work, form)
    work.succeeded("login", form.given("email"))
    if account.password is not None and dated(account.password):
        work.update(account, password=hashed(work, given))
    begin(work, account)
    return _go_on(work, form)


def _show_answer(work: Work, form: Form) -> Response:
    """There is no page of its own: the button stands on the page for logging in."""
    return work.redirect("/login?passkey" if form.sent else "/login")


@site.form(
    "/login/passkey", passkey.Answer, place="login", role="storefront", purpose="account_keeping", page=_show_answer
)
def log_in_by_passkey(work: Work, form: Form) -> Response:
    """Log in the customer whose passkey has signed our challenge, once."""
    found, challenge = passkey.signer(work, form)
    account = accounts.of_person(work, found.customer) if found is not None else None
    opened = work.fingerprint(f"passkey answer {challenge}")
    if account is None or work.select(Login, Login.opened == opened):
        return work.redirect("/login?passkey")
    begin(work, account, opened=opened)
    return _go_on(work, form)


def _go_on(work: Work, form: Form) -> Response:
    """Where somebody goes after logging in; `in` lets the page there see that a cookie was set just now."""
    return work.redirect(ONWARD.get(str(form["to"]), ONWARD["account"]) + "?in")


def show_log_out(work: Work, form: Form) -> Response:
    """The two ways of leaving."""
    return work.render("logout.html", done="done" in work.query)


@site.form("/logout", LogOut, place="login", role="storefront", purpose="account_keeping", page=show_log_out)
def log_out(work: Work, form: Form) -> Response:
    """Log out; and where asked for, do not know this browser again."""
    end(work)
    if form["forget"] is not None:
        greeting.forget(work)
    return work.redirect("/logout?done")


# -- a new password -----------------------------------------------------------------------------------


def show_forgotten(work: Work, form: Form) -> Response:
    """The form that asks for a link, or the word that it is on its way."""
    return work.render("forgotten.html", form=form, sent="sent" in work.query and not form.sent)


@site.form(
    "/login/forgotten", Forgotten, place="login", role="storefront", purpose="account_keeping", page=show_forgotten
)
def send_link(work: Work, form: Form) -> Response:
    """Mail a link for a new password, if the address has an account. The page does not say whether it has."""
    if wait := work.attempt("mail", form.given("email")):
        form.fail("email", accounts.too_often(wait))
        return show_forgotten(work, form)
    account = accounts.find(work, form.given("email"))
    if account is not None:
        work.update(account, until=work.now + accounts.RESET)
        accounts.notify(work, account, "reset")
    return work.redirect("/login/forgotten?sent")


def _to_reset(work: Work) -> Account | None:
    account = work.found(accounts.Account, work.path["secret"], lambda account: account.reset_use)
    return account if account is not None and account.proven and account.until > work.now else None


def show_reset(work: Work, form: Form) -> Response:
    """The form for the new password."""
    return work.render("reset.html", form=form, here=work.current_path) if _to_reset(work) else accounts.lost(work)


@site.form(
    "/login/reset/{secret}", NewPassword, place="login", role="storefront", purpose="account_keeping", page=show_reset
)
def reset(work: Work, form: Form) -> Response:
    """Set the new password: every browser is logged out, this one is logged in, and the link has served."""
    account = _to_reset(work)
    if account is None:
        return accounts.lost(work)
    set_password(work, account, form.given("password"))
    for what in ("login", "mail"):
        work.succeeded(what, account.email)
    return work.redirect("/account?password")


def set_password(work: Work, account: Account, given: Sealed) -> None:
    """Keep a new password, tell the account's address, and let nobody stay logged in but this browser."""
    work.update(account, password=hashed(work, given), revision=account.revision + 1, until=0.0)
    end_all(work, account)
    begin(work, account)
    accounts.notify(work, account, "password")

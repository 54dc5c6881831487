"""Moving an account to another e-mail address: it counts once a link that was mailed there has been followed."""

from __future__ import annotations

from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Sealed, Work, owner, personal, plain
from avow.edge import form as ask
from avow.edge.form import Form

from . import profile
from .account import PROOF, Account, find, lost, notify, too_often
from .password import own_password
from .shop import site


class NewAddress(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """An e-mail address that is to take the place of an account's, once its owner has proven that it is theirs."""

    __tablename__ = "shop_new_address"
    __label__ = "A new address that is not proven yet"
    __stays__ = "the mailed link that would prove it leads to this shop"

    customer: Mapped[str] = owner()
    email: Mapped[Sealed] = personal("contact.email", field="new_address.email", lookup="email")
    until: Mapped[float] = plain("unix seconds until which the mailed link is good")


class NewEmail(Form):
    """Another e-mail address."""

    email = ask.email("contact.email", "New e-mail address", hint="We send a link there, to see that it is yours.")
    password = own_password("Your password", required=False)


class Button(Form):
    """A button."""


@profile.own
def show_email(work: Work, form: Form, account: Account) -> Response:
    """The form for another e-mail address."""
    return work.render("email.html", form=form, account=account)


@profile.own_form("/account/email", NewEmail, page=show_email)
def move(work: Work, form: Form, account: Account) -> Response:
    """Mail a link to the new address, and a word to the present one. Nothing changes before the link is followed."""
    if not profile.is_theirs(work, account, form):
        return show_email(work, form)
    if wait := work.attempt("mail", form.given("email")):
        form.fail("email", too_often(wait))
        return show_email(work, form)
    known = find(work, form.given("email"))
    if known is not None:
        notify(work, known, "known")
    else:
        for old in work.select(NewAddress, NewAddress.customer == account.customer):
            work.db.delete(old)
        until = work.now + PROOF
        wanted = work.collect(NewAddress, person=account.avow_person, email=form.given("email"), until=until)
        notify(work, wanted, "address")
    notify(work, account, "moving")
    return work.redirect("/account?moving")


def _wanted(work: Work) -> NewAddress | None:
    wanted = work.found(NewAddress, work.path["secret"], "address")
    return wanted if wanted is not None and wanted.until > work.now else None


def show_move(work: Work, form: Form) -> Response:
    """Where the mailed link leads: one button, for who is logged in."""
    if _wanted(work) is None:
        return lost(work)
    return work.render("email_link.html", logged_in=profile.account_of(work) is not None, here=work.current_path)


@site.form(
    "/account/email/{secret}", Button, place="profile", role="storefront", purpose="account_keeping", page=show_move
)
def moved(work: Work, form: Form) -> Response:
    """The new address is proven, and takes the place of the other one."""
    account, wanted = profile.account_of(work), _wanted(work)
    if wanted is None or account is None or wanted.customer != account.customer:
        return lost(work) if wanted is None else show_move(work, form)
    if find(work, wanted.email) is not None:
        return lost(work)
    work.update(account, email=wanted.email)
    work.succeeded("mail", wanted.email)
    work.db.delete(wanted)
    return work.redirect("/account?email")

"""A site that takes messages: a form, and a page for each message behind its secret link.

    avow serve starter          serves it on http://127.0.0.1:8000
    avow check starter/policy.md --explain

What may be done with what people write is not decided here but in `policy.md`. Take a rule out there, and the page
that needed it is refused, with the sentence that says so.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Sealed, Site, Work, owner, personal, plain
from avow.edge import form as ask
from avow.edge.form import Form

HERE = Path(__file__).parent

site = Site(HERE / "policy.md", pages=HERE / "pages", static=HERE / "static")


class Message(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """A message, sealed column by column. A column that is neither personal nor plain is refused at start-up."""

    __tablename__ = "message"

    customer: Mapped[str] = owner()
    name: Mapped[Sealed] = personal("contact.name", field="message.name")
    email: Mapped[Sealed] = personal("contact.email", field="message.email")
    text: Mapped[Sealed] = personal("message", field="message.text")
    status: Mapped[str] = plain("whether it has been answered")


class Letter(Form):
    """What the front page asks for, each field with the category that the policy gives it."""

    name = ask.text("contact.name", "Your name", maximum=80, autocomplete="name")
    email = ask.email("contact.email", "Your e-mail address", autocomplete="email")
    text = ask.paragraph("message", "Your message", maximum=2000)


def front(work: Work, form: Form) -> Response:
    """The front page with the form."""
    return work.render("home.html", form=form)


@site.form("/", Letter, place="home", role="website", purpose="answering", page=front)
def send(work: Work, form: Form) -> Response:
    """Keep a message; its writer gets the link to it."""
    message = work.collect(
        Message, person=work.person(), name=form["name"], email=form["email"], text=form["text"], status="new"
    )
    return work.redirect(f"/message/{work.secret(message)}")


@site.page("/message/{token}", place="message_page", role="website", purpose="answering")
def show(work: Work) -> Response:
    """One message, for whoever holds its link."""
    message = work.presented(Message, work.path["token"])
    if message is None:
        return work.render("notice.html", status=404, title="This page is not there")
    return work.render("message.html", message=message)

"""Holes in a service: the site that `avow new` makes, with something careless written into it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Careless:
    """A change of some files of a new site.

    Attributes:
        kind: what it lets happen.
        changes: by file, what is found in it once, and what stands there instead.
        probe: the name of the probe that has to find it.
    """

    kind: str
    changes: tuple[tuple[str, str, str], ...]
    probe: str

    def __str__(self) -> str:
        return self.kind


_SHOW = 'message = work.presented(Message, work.path["token"])'
_SEND = 'return work.redirect(f"/message/{work.secret(message)}")'

SERVICE = (
    Careless(
        "a page asks for no secret but for an id",
        (("app.py", _SHOW, ('message = next(iter(work.select(Message, Message.id == work.path["token"])), None)\n'
          '    if message is not None:\n        work.recognise(message, "presented(link)")')),),
        "own.stranger",
    ),
    Careless(
        "a page shows the newest message, whosever it is",
        (("app.py", _SHOW, (f'{_SHOW}\n    for message in work.select(Message):\n'
          '        work.recognise(message, "presented(link)")')),),
        "own.other",
    ),
    Careless(
        "a page writes texts past the markers",
        (("app.py", 'return work.render("home.html", form=form)',
          ('from starlette.responses import HTMLResponse\n\n'
          '    names = [m.name._reveal() for m in work.select(Message)]\n'
          '    page = work.render("home.html", form=form)\n'
          '    return HTMLResponse(page.body.decode() + " ".join(names), headers={"x-names": "all"})')),),
        "own.stranger",
    ),
    Careless(
        "a message lies in a plain column",
        (("app.py", 'status: Mapped[str] = plain("whether it has been answered")',
          ('status: Mapped[str] = plain("whether it has been answered")\n'
          '    draft: Mapped[str | None] = plain("what the answer begins with")')),
         ("app.py", 'status="new"', 'status="new", draft=form["text"]._reveal()')),
        "own.sealed",
    ),
    Careless(
        "a log line tells who writes",
        (("app.py", _SEND, "import logging\n\n"
          '    logging.getLogger("letters").warning("a message of %s", form["name"]._reveal())\n    ' + _SEND),),
        "own.log",
    ),
    Careless(
        "an id outlives its person in a plain column",
        (("app.py", "class Letter(Form):", ("class Tally(site.Record):\n    __tablename__ = \"tally\"\n\n"
          '    customer: Mapped[str] = owner()\n    about: Mapped[str] = plain("whose message it counts")\n\n\n'
          "class Letter(Form):")),
         ("app.py", _SEND, f"work.collect(Tally, person=work.person(), about=message.customer)\n    {_SEND}")),
        "own.erase",
    ),
    Careless(
        "countries can be looked up",
        (("policy.md", "  message: {key: user.content", ("  contact.country: {key: user.contact.address.country, "
          "label: your country}\n  message: {key: user.content")),
         ("app.py", 'status: Mapped[str] = plain(', ('country: Mapped[Sealed | None] = personal(\n'
          '        "contact.country", field="message.country", lookup="exact", optional=True\n    )\n'
          '    status: Mapped[str] = plain('))),
        "own.index",
    ),
    Careless(
        "the site runs on another policy than the one in its file",
        (("app.py", "class Message(site.Record):", ("from avow import Policy\n\nsite.policy = Policy.parse(\n"
          '    site.policy.source.replace("never share contact, message", "never share message"))\n\n\n'
          "class Message(site.Record):")),),
        "decision.reason",
    ),
)  # fmt: skip

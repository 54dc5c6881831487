"""People who want the newsletter, or no mail at all, and what they find in their mail."""

from __future__ import annotations

import re
import smtplib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from types import ModuleType
from typing import Any

import dkim
from jinja2 import DictLoader

from avow.testing.mailbox import Mail

from .conftest import Gourmet, Peers
from .customer import CONTACT, Customer

#: The address that orders go out to.
THEIR = CONTACT["email"]

ANN, BOB = "ann.subscriber@canary-mail.example", "bob.subscriber@canary-mail.example"
SERVICE = "service@quinceandbarrel.example"


def module(gourmet: Gourmet, name: str) -> ModuleType:
    """A module of the shop, as the site that is open was loaded with it."""
    return module_of(gourmet.site, name)


def module_of(site: Any, name: str) -> ModuleType:
    """A module of a site that declares choices."""
    kind = next(kind for kind in site.home.records if kind.__name__ == "Choice")
    return sys.modules[f"{kind.__module__.rpartition('.')[0]}.{name}"]


def link(mail: Mail, use: str) -> str:
    """The path of the secret link of one use in a mail."""
    found = re.search(rf"^https?://[^/\s]+(/{use}/[\w-]+)\r?$", mail.text, re.MULTILINE)
    assert found, f"no link to /{use} in the mail"
    return found[1]


def one_click(mail: Mail) -> str:
    """The address in the header by which a mail program ends a subscription."""
    found = re.match(r"<(\S+)>, <mailto:", mail.message["List-Unsubscribe"])
    assert found, mail.message["List-Unsubscribe"]
    return found[1]


def ask(customer: Customer, address: str) -> None:
    """Fill in the page of the newsletter."""
    answer = customer.send("/newsletter", {"email": address, "agree": "yes"})
    assert answer.status_code == 303, answer.text


def subscribe(gourmet: Gourmet, peers: Peers, *addresses: str) -> None:
    """Ask for the newsletter and say that it was they."""
    customer = gourmet.customer()
    for address in addresses:
        ask(customer, address)
        gourmet.work_off()
        mail = next(mail for mail in reversed(peers.mail.received) if mail.recipients == (address,))
        answer = customer.send(link(mail, "newsletter"), {})
        assert "You get the newsletter" in answer.text
    gourmet.clock.advance(1.0)


def begin(gourmet: Gourmet, issue: str = "2026-48") -> bool:
    """Begin to send an issue, as the desk does."""
    with gourmet.acting("newsletter_service", place="desk") as work:
        return bool(module(gourmet, "newsletter").begin(work, issue))


def issues(peers: Peers) -> list[Mail]:
    """The issues that have arrived."""
    return [mail for mail in peers.mail.received if "List-Id" in mail.message]


def choices(gourmet: Gourmet, address: str) -> list[tuple[str, str]]:
    """Topic and state of what is kept about an address, the oldest first."""
    kind = module(gourmet, "choice").Choice
    with gourmet.acting("objections", place="stop_page") as work:
        found = sorted(work.select(kind, kind.email == address), key=lambda choice: (choice.asked, choice.topic))
        return [(choice.topic, choice.state) for choice in found]


def facts(gourmet: Gourmet, address: str) -> dict[str, Any]:
    """What the shop knows of somebody with that address, as a record of theirs would be judged by."""

    class Holder:
        email = address

    with gourmet.acting("objections", place="stop_page") as work:
        return dict(module(gourmet, "choice").facts(work, Holder()))


def genuine(gourmet: Gourmet, mail: Mail) -> bool:
    """Whether both signatures of a mail hold under the records that the shop publishes, as another library says."""
    published = {f"{record.name}.".encode(): record.text.encode() for record in gourmet.opened.signer.records()}
    verifier = [dkim.DKIM(mail.content) for _ in range(2)]
    return all(
        verifier[number].verify(number, dnsfunc=lambda name, timeout=5: published.get(name)) for number in range(2)
    )


def ordered(gourmet: Gourmet, peers: Peers) -> str:
    """Somebody who ordered; the path of the link in their confirmation."""
    gourmet.customer().order()
    gourmet.work_off()
    [mail] = [mail for mail in peers.mail.received if mail.recipients == (THEIR,)]
    return link(mail, "stop")


def seen(gourmet: Gourmet, path: str) -> str:
    """A page as somebody sees who comes by a link."""
    return gourmet.customer().get(path).text


def reworded(gourmet: Gourmet, **mails: str) -> None:
    """Somebody on the team changes a mail while the shop runs."""
    templates = gourmet.opened.templates
    known = {name: templates.loader.get_source(templates, name)[0] for name in templates.list_templates()}
    templates.loader = DictLoader({**known, **{f"mail/{name}.txt": text for name, text in mails.items()}})


#: How to reach the shop, as every mail has to say.
CONTACT_LINES = "{{ policy.contact.email }} {{ policy.contact.phone }} {{ policy.contact.address }}"


# -- writing to the shop ------------------------------------------------------------------------------


@contextmanager
def taking_mail(gourmet: Gourmet) -> Iterator[int]:
    """Let the shop take mail in until the block ends; the port."""
    from avow.site.mailing import open_inbox

    inbox = open_inbox(gourmet.opened, "127.0.0.1:0", SERVICE)
    try:
        yield inbox.port
    finally:
        inbox.stop()


def write(port: int, text: str, *, subject: str = "", sender: str = ANN, **headers: str) -> int:
    """Write to the shop; the code of its server's last word."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, SERVICE, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return send(port, message.as_bytes())


def send(port: int, content: bytes) -> int:
    """Hand a mail over as it stands."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mail.example", timeout=10) as session:
        try:
            session.sendmail("envelope@canary-mail.example", [SERVICE], content)
        except smtplib.SMTPDataError as error:
            return int(error.smtp_code)
        return 250

"""What a site declares about mail that comes in, and about work that it does by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avow.edge.inbox import Inbox
from avow.edge.incoming import Incoming, parse
from avow.errors import SetupError
from avow.site.announcing import JOB, Announcing, announce
from avow.site.jobs import EVERY, Job, Piece
from avow.site.work import Work

if TYPE_CHECKING:
    from avow.site.opened import Opened

#: What a site does with a mail that came in.
MailHandler = Callable[[Work, Incoming], None]


@dataclass(frozen=True, slots=True)
class Mailroom:
    """Who reads the mail to the published address: the role, the purpose and the place, and what is done with each."""

    role: str
    purpose: str
    place: str
    handler: MailHandler


class Mailing:
    """The part of a `Site` on which mail handlers and jobs are declared."""

    mailroom: Mailroom | None
    jobs: dict[str, Job]
    announcing: Announcing | None

    def mailbox(self, *, role: str, purpose: str, place: str) -> Callable[[MailHandler], MailHandler]:
        """Declare what is done with a mail to the published address, within one unit of work.

        It is taken for good when that unit is committed. What the policy refuses goes back to its sender's server.
        """

        def declare(handler: MailHandler) -> MailHandler:
            self.mailroom = Mailroom(role, purpose, place, handler)
            return handler

        return declare

    def job(self, name: str, *, role: str, purpose: str, every: float = EVERY) -> Callable[[Piece], Piece]:
        """Declare work that the site does by itself, a piece in each unit of work; see `avow.site.jobs`.

        The function returns True while more is waiting; otherwise it is asked again after `every` seconds.
        """

        def declare(piece: Piece) -> Piece:
            self.jobs[name] = Job(name, role, purpose, every, piece)
            return piece

        return declare

    def announces(self, message: str, record: type[Any], *, role: str, purpose: str) -> None:
        """Declare by which mail, to the address in which record, a new version is announced to whom it concerns.

        Needed where the policy says `must announce version to … before apply(version)`. See `avow.site.announcing`.
        """
        announcing = self.announcing = Announcing(message, record)
        self.jobs[JOB] = Job(JOB, role, purpose, EVERY, lambda work: announce(work, announcing))


def open_inbox(opened: Opened, address: str, sender: str) -> Inbox:
    """Begin to take mail at `address` (HOST:PORT; port 0 takes a free one) for `sender`, the published address.

    Raises:
        SetupError: the site does not say what it does with mail, or the address cannot be listened on.
    """
    room = opened.site.mailroom
    if room is None:
        raise SetupError(
            "the site does not say what is done with mail to it", help="declare it: @site.mailbox(role=…, …)"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise SetupError(f"`{address}` is no place to take mail at", help="write host and port, like 127.0.0.1:2525")

    def receive(content: bytes, channel: str) -> None:
        with opened.unit(room.role, room.purpose, place=room.place, channel=channel) as unit:
            mail = parse(content)  # within the unit: what it gives is given here
            if not mail.automatic:
                room.handler(Work(opened, unit), mail)

    inbox = Inbox(host.strip("[]"), int(port), accepts=(sender,), receive=receive, tls=opened.settings.inbox_tls)
    inbox.start()
    return inbox

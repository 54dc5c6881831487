"""The mails of an opened site: its templates, its links, and the door that they leave by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from avow.edge.acts import match
from avow.edge.pages import fill_letter
from avow.errors import SetupError
from avow.outbound.letter import UNSUBSCRIBE, Draft, LetterDoor, Letterhead, message_of
from avow.outbound.plain import Links, check_templates
from avow.site.announcing import check_current
from avow.site.versions import WHY
from avow.site.work import Work

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.vault.record import Record
    from avow.vault.unit import Unit


def letter_door(opened: Opened, sender: str) -> LetterDoor:
    """The way out by mail of an opened site. `sender` is the published address."""
    site = opened.site
    head = Letterhead(site.address, sender, opened.settings.base, site.offers, site.reading)
    return LetterDoor(opened.directory.mail, _composer(opened), fill_letter, head)


def check_letters(opened: Opened, sender: str) -> None:
    """Look through the mails of a site before it opens.

    Raises:
        SetupError: a template would tell who opens the mail; or what mails must offer has no link, or none that one
            click is enough for.
    """
    site, base = opened.site, opened.settings.base
    if site.pages is not None:
        links = Links(base, sender)
        check_templates(site.policy, site.pages / "mail", links, reading=site.reading, subject=site.subject)
    owed = {duty.object for duty in site.policy.duties if duty.verb == "offer" and duty.timing == "with"}
    for word in sorted(filter(None, owed)):
        use = site.offers.get(word)
        if use is None or use not in site.links:
            raise SetupError(
                f"the policy says that mails offer `{word}`, and the site has no link for it",
                help=f'name its use: Site(links={{"stop": "/stop/{{secret}}"}}, offers={{"{word}": "stop"}})',
            )
        path = site.links[use].replace("{secret}", "_")
        declared = match(site.routes, {"type": "http", "method": "POST", "path": path, "root_path": "", "headers": []})
        if word == UNSUBSCRIBE and not (declared and declared.one_click):
            raise SetupError(
                f"`{path}` ends no subscription by one click, as mail programs ask (RFC 8058)",
                help=f'declare it: @site.page("{site.links[use]}", methods=("POST",), one_click=True, …)',
            )


def _composer(opened: Opened) -> Callable[[Unit, str, Record], Draft]:
    site = opened.site

    def compose(unit: Unit, message: str, record: Record) -> Draft:
        check_current(opened, message)
        work, made = Work(opened, unit), dict[str, str]()

        def links(use: str = "") -> str:
            made[use] = opened.link(work, record, use)
            return made[use]

        text = opened.templates.get_template(f"mail/{message_of(message)}.txt").render(
            {
                **site.shared_context,
                "record": record,
                type(record).__name__.lower(): record,
                "edition": message.partition("/")[2],
                "link": _Lazy(links),
                "links": links,
                "base": opened.settings.base,
                "policy": opened.policy,
                "contact": opened.policy.contact,
            }
        )
        why = f"{opened.settings.base}{WHY}/{message_of(message)}"
        return Draft(text if why in text else f"{text.rstrip()}\n\nWhy this mail? {why}\n", made)

    return compose


class _Lazy:
    """A link that is made only if the template writes it: making one leaves a row in the database."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    def __str__(self) -> str:
        return self._make()

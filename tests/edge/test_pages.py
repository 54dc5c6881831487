"""What a template may reach for."""

from __future__ import annotations

import re

import pytest
from jinja2.exceptions import SecurityError
from sqlalchemy.orm import Mapped

from avow.edge.pages import environment
from avow.vault.columns import owner, plain
from avow.vault.my_log import MyLog, Told, Written
from avow.vault.record import record_base

_HOME, RECORD, _PERSON = record_base()


class Parcel(RECORD):  # type: ignore[misc, valid-type]
    __tablename__ = "parcel"
    customer: Mapped[str] = owner()
    weight: Mapped[str] = plain("what it weighs")

    def heavy(self) -> bool:
        return True


def rendered(template: str) -> str:
    return environment(None).from_string(template).render(parcel=Parcel(weight="2 kg"))


def test_a_template_reads_what_a_record_holds() -> None:
    assert rendered("{{ parcel.weight }} {{ parcel.heavy() }}") == "2 kg True"


@pytest.mark.parametrize(
    "reached",
    [
        "parcel._seal",
        "parcel._seal()",
        "parcel.__dict__",
        "parcel.__class__.__mro__",
        "parcel|attr('__class__')",
        "parcel.heavy.__func__.__globals__",
        "parcel.heavy.__self__",
        "''.__class__",
    ],
)
def test_a_template_does_not_reach_behind_a_record(reached: str) -> None:
    with pytest.raises(SecurityError):
        rendered("{{ " + reached + " }}")


def line(text: str, *numbers: int | None) -> Told:
    """A line of somebody's log, with entries of these numbers."""
    entries = tuple(Written(f"{place:064x}", number) for place, number in enumerate(numbers))
    return Told(500_000, text, False, "", (), "1", True, entries)


def page_of_log(*lines: Told, receipts: bool) -> str:
    template = '{% from "_my_log.html" import my_log %}{{ my_log(log, "/mine/log", receipts=receipts) }}'
    return environment(None).from_string(template).render(log=MyLog(lines, 1, 1, len(lines)), receipts=receipts)


def test_a_line_of_a_log_leads_to_the_receipts_of_the_entries_that_have_a_number() -> None:
    lines = (line("One.", 7), line("Some.", 3, None, 12), line("None yet.", None), line("", None))
    page = page_of_log(*lines, receipts=True)
    links = re.findall(r'<a [^>]*href="(/mine/log/[^"]+)">(.*?)</a>', page)
    assert [(href.rpartition("/")[2], re.sub(r"<[^>]*>", "", name)) for href, name in links] == [
        (f"{0:064x}.tlog-proof", "Receipt of entry 7"),
        (f"{0:064x}.tlog-proof", "Receipt 1 of entry 3"),
        (f"{2:064x}.tlog-proof", "Receipt 2 of entry 12"),
    ]
    assert page.count("Lines without one are new") == 1
    assert page.count('href="/log/key"') == 1


def test_a_log_in_which_nothing_waits_does_not_speak_of_waiting() -> None:
    page = page_of_log(line("One.", 0), line("", None), receipts=True)
    assert "Receipt<span" in page
    assert "Lines without one" not in page


def test_a_site_without_receipts_does_not_speak_of_them() -> None:
    for page in (page_of_log(line("One.", 7), receipts=False), page_of_log(receipts=True)):
        assert "eceipt" not in page

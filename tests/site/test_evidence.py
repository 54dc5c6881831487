"""What the public is told of a sentence's figures shows nobody; what the house is told is exact."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from avow.edge.privacy import SMALLEST, about, words
from avow.errors import Refused
from avow.ledger.figures import Cell, Figures, date_of
from avow.site.charts import MOST, bars, chart
from avow.site.evidence_shown import reworded
from avow.site.versions import Version
from tests.vault.club import club
from tests.vault.test_older import SOURCE, WEAKER

HERE = Path(__file__).parent


def test_a_published_number_is_never_small_and_moves_in_large_steps() -> None:
    assert {about(count) for count in range(SMALLEST)} == {"fewer than 10 times"}
    assert [about(n) for n in (10, 19, 20, 99, 100, 119, 999, 1_000, 12_345, 1_234_567)] == [
        "some 10 times",
        "some 10 times",
        "some 20 times",
        "some 90 times",
        "some 100 times",
        "some 110 times",
        "some 990 times",
        "some 1,000 times",
        "some 12,000 times",
        "some 1,200,000 times",
    ]
    told = [about(count) for count in range(20_000)]
    changes = [n for n in range(1, len(told)) if told[n] != told[n - 1]]
    assert min(b - a for a, b in pairwise(changes)) >= SMALLEST


def figures(permitted: int, refused: int) -> Figures:
    made = Figures()
    for event, times in (("permitted", permitted), ("refused", refused)):
        if times:
            made.add(Cell(20_000, "ask", event, "collect", "", "", ""), times)
    return made


def test_words_tell_no_difference_between_nobody_and_a_few(site: Any) -> None:
    policy = site.policy
    ask = policy.sentence("ask")
    few = {words(policy, ask, figures(kept, refused)) for kept in (0, 1, 4) for refused in (0, 1, 4)}
    assert few == {words(policy, ask, None)} == {"Permitted fewer than 10 times, refused fewer than 10 times."}
    assert words(policy, ask, figures(25, 1)).endswith(
        "some 20 times, refused fewer than 10 times; last risen in October 2024."
    )


def test_the_house_sees_exact_figures_of_any_time(site: Any, ann: str) -> None:
    for _ in range(2):
        with pytest.raises(Refused), site.acting("desk", "lending") as work:
            work.unit.judge("keep", "card.number")
    opened = site.opened
    assert opened.evidence.figures() == {}  # it is in no ledger yet
    opened.sequencer.run()
    told = {each.sentence.anchor: each for each in opened.evidence.told()}
    assert (told["no-card"].figures.refused, told["no-card"].forbids) == (2, True)
    assert told["ask"].figures.permitted >= 2
    assert not told["ask"].forbids
    assert told["bank"].figures.last is None
    assert opened.evidence.figures(date(2001, 1, 1), date(2001, 1, 2)) == {}
    assert set(opened.evidence.published()) == set(opened.evidence.figures())


def test_what_is_published_is_counted_anew_when_the_ledger_grows(site: Any, ann: str) -> None:
    opened = site.opened
    opened.sequencer.run()
    before = opened.evidence.published()
    assert opened.evidence.published() is before
    with site.acting("desk", "lending") as work:
        work.unit.judge("open", "contact.name", role="desk")
    opened.sequencer.run()
    assert opened.evidence.published()["read"].permitted == before.get("read", Figures()).permitted + 1


@pytest.mark.parametrize("days", [1, 2, 62, 63, 400, 4000, 40_000])
def test_bars_cover_every_day_once(days: int) -> None:
    since = date(1990, 1, 1)
    first = (since - date(1970, 1, 1)).days
    until = date.fromordinal(since.toordinal() + days)
    counted = {first + number: (number % 3, 1) for number in range(-5, days + 5)}
    drawn = bars(counted, since, until)
    assert 0 < len(drawn) <= MOST or days > 91 * MOST
    assert (drawn[0].first, drawn[-1].last) == (since, date.fromordinal(until.toordinal() - 1))
    assert all((b.first - a.last).days == 1 for a, b in pairwise(drawn))
    assert sum(bar.refused for bar in drawn) == days
    assert sum(bar.kept for bar in drawn) == sum(number % 3 for number in range(days))


def test_a_chart_says_its_numbers_in_words_and_nothing_is_drawn_of_nothing() -> None:
    drawn = chart(bars({0: (3, 0), 1: (0, 2)}, date(1970, 1, 1), date(1970, 1, 4)), "Over <time>")
    assert "1 January 1970: permitted or done 3, refused 0" in drawn
    assert drawn.count("<rect") == 2
    assert "Over &lt;time&gt;" in drawn
    assert "at most 3 in a day" in drawn
    assert chart(bars({}, date(1970, 1, 1), date(1970, 1, 4)), "none") == ""


def test_a_duty_that_came_before_a_flow_is_counted_with_it(site: Any, ann: str) -> None:
    opened = site.opened
    with site.acting("desk", "lending") as work:
        work.unit.discharge("ask", "age")
        work.unit.judge("open", "wishes", role="desk")
    with pytest.raises(Refused), site.acting("desk", "lending") as work:
        work.unit.judge("open", "wishes", role="desk")
    opened.sequencer.run()
    told = {each.sentence.anchor: each.figures for each in opened.evidence.told()}
    assert (told["gates"].permitted, told["gates"].refused) == (1, 1)
    assert told["gates"].by[("permitted", "open", "lending", "", "")] == 1


def test_one_event_more_shows_in_no_month(site: Any) -> None:
    """Who looks before and after learns of ten events or of none."""
    policy, october, november = site.policy, 20_000, 20_031
    counted = Figures()
    counted.add(Cell(october, "ask", "permitted", "collect", "", "", ""), 14)
    before = words(policy, policy.sentence("ask"), counted)
    assert "some 10 times" in before
    counted.add(Cell(november, "ask", "permitted", "collect", "", "", ""), 1)
    assert words(policy, policy.sentence("ask"), counted) == before
    counted.add(Cell(november, "ask", "permitted", "collect", "", "", ""), 5)
    after = words(policy, policy.sentence("ask"), counted)
    assert "some 20 times" in after
    assert after.rpartition(" in ")[2] != before.rpartition(" in ")[2]


def test_a_duty_of_a_sentence_of_its_own_is_counted_as_carried_out(tmp_path: Path) -> None:
    text = (HERE.parent / "vault" / "club.md").read_text()
    text = text.replace(
        "may open wishes for lending by desk\nmust ask age before open(wishes)", "must ask age before open(wishes)"
    )
    text += "\nWishes are read.\n\n```avow #wishes\nmay open wishes for lending by desk\n```\n"
    (tmp_path / "policy.md").write_text(text)
    club_site = club(tmp_path / "policy.md")
    club_site.open(tmp_path / "data", background=False)
    for _ in range(12):
        with club_site.acting("desk", "lending") as work:
            work.unit.discharge("ask", "age")
            work.unit.judge("open", "wishes", role="desk")
    club_site.opened.sequencer.run()
    told = {each.sentence.anchor: each for each in club_site.opened.evidence.told()}
    assert (told["gates"].demands, told["gates"].figures.kept) == (True, 12)
    policy, published = club_site.policy, club_site.opened.evidence.published()
    said = words(policy, policy.sentence("gates"), published["gates"])
    assert said.startswith("Carried out some 10 times; last risen in ")
    club_site.close()


def test_a_sentence_that_read_otherwise_within_a_time_is_told_with_the_version_that_changed_it() -> None:
    newest = Version("3", date(2026, 3, 1), 24 * 300, WEAKER.replace('version: "2"', 'version: "3"'))
    middle = Version("2", date(2026, 2, 1), 24 * 200, WEAKER)
    oldest = Version("1", date(2026, 1, 1), 24 * 100, SOURCE)
    known = (newest, middle, oldest)

    def of(first: int, end: int) -> dict[str, str]:
        return reworded(known, date_of(first), date_of(end))

    changed = of(150, 400)
    assert changed["read"] == "2"
    assert set(changed.values()) == {"2"}
    assert set(changed) < {sentence.anchor for sentence in newest.policy().sentences}
    assert of(100, 150) == of(200, 201) == changed
    assert of(201, 400) == of(300, 301) == of(10, 20) == {}

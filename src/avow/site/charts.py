"""Pictures of figures over time, drawn on the server: an SVG with a bar for each day, week, four weeks or quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from avow.edge.pages import day as in_words
from avow.ledger.figures import number_of

#: Bars that can be told apart on a sheet of paper.
MOST: Final = 62
_WIDTH, _HEIGHT = 640, 100
#: No bar is wider, so that one day does not fill the picture.
_WIDEST: Final = 40.0


@dataclass(frozen=True, slots=True)
class Bar:
    """What happened from `first` to `last`, both included."""

    first: date
    last: date
    kept: int
    refused: int

    @property
    def length(self) -> str:
        """How long the time of a full bar is."""
        days = (self.last - self.first).days + 1
        return "a day" if days == 1 else f"{days} days"

    @property
    def words(self) -> str:
        """The bar as a sentence."""
        span = in_words(self.first) + (f" to {in_words(self.last)}" if self.last != self.first else "")
        return f"{span}: permitted or done {self.kept:,}, refused {self.refused:,}"


def bars(days: Mapping[int, tuple[int, int]], since: date, until: date) -> list[Bar]:
    """The figures of the days from `since` to before `until`, in at most 62 bars of equal length, all but the last.

    Args:
        days: counted from 1970-01-01, how much was kept and how much refused.
    """
    total = (until - since).days
    step = next((each for each in (1, 7, 28, 91) if total <= each * MOST), -(-total // MOST))
    found = []
    for start in range(0, total, step):
        first = since + timedelta(days=start)
        last = min(first + timedelta(days=step - 1), until - timedelta(days=1))
        numbers = range(number_of(first), number_of(last) + 1)
        both = [days[number] for number in numbers if number in days]
        found.append(Bar(first, last, sum(kept for kept, _ in both), sum(refused for _, refused in both)))
    return found


def chart(of: list[Bar], title: str) -> Markup:
    """The bars as a figure: what was kept below, what was refused on top of it, the time and the scale in words."""
    highest = max((bar.kept + bar.refused for bar in of), default=0)
    if not highest:
        return Markup("")
    width = min(_WIDTH / len(of), _WIDEST)
    drawn = Markup("").join(_column(bar, number * width, width, _HEIGHT / highest) for number, bar in enumerate(of))
    first, last = in_words(of[0].first), in_words(of[-1].last)
    return Markup(
        '<figure><svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
        "<figcaption><span>{}</span><span>at most {} in {}</span><span>{}</span></figcaption></figure>"
    ).format(_WIDTH, _HEIGHT, title, drawn, first, f"{highest:,}", of[0].length, last if last != first else "")


def _column(bar: Bar, x: float, width: float, scale: float) -> Markup:
    kept, refused = bar.kept * scale, bar.refused * scale
    rect = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    drawn = Markup("")
    if bar.kept:
        drawn += rect.format("allowed", x, _HEIGHT - kept, max(width - 1, 0.5), kept)
    if bar.refused:
        drawn += rect.format("refused", x, _HEIGHT - kept - refused, max(width - 1, 0.5), refused)
    return Markup("<g><title>{}</title>{}</g>").format(bar.words, drawn) if drawn else drawn

"""What filling in a page and searching a body cost, in microseconds of one core.

`against`, for the pages, is the same page with its markers replaced by a regular expression that does not look where
they stand: the price of looking is the ratio. For the guard it is one plain search of the body for each value.
"""

from __future__ import annotations

import html
import json
import re
import timeit
from collections.abc import Callable
from functools import partial

from avow.edge.guard import ExitGuard
from avow.edge.markers import fill_html, marker

NONCE = "0123456789ab"
SIZE, VALUES = 50_000, 10
PROSE = "<p>" + "What customers enter is encrypted in transit, and nobody else reads it. " * 9 + "</p>\n"
CATALOGUE = """<li class="product"><a href="/brie"><img src="/static/brie.jpg" alt="Brie" width="300" height="200"></a>
  <h3><a href="/brie">Brie de Meaux</a></h3>
  <p class="origin">France, cow's milk, ripened for six weeks in the caves of the region; soft and rich.</p>
  <p class="price">$12.90 <span class="unit">for 250 g</span></p>
</li>
"""
OPENED = ("ann.ohara@example.org", "Zoë O'Hara", "+1 416 555 0100", "12 Market Lane", "No onions, please.")


def page(row: str) -> str:
    rows = [row] * (SIZE // len(row))
    for number in range(VALUES):
        rows.insert(len(rows) * number // VALUES, f'<p class="line">{marker(NONCE, number)}</p>\n')
    return "<!doctype html><html><head><title>Order</title></head><body>" + "".join(rows)


def microseconds(act: Callable[[], object]) -> float:
    return min(timeit.repeat(act, number=20, repeat=15)) / 20 * 1e6


def figure(name: str, value: float, against: float) -> None:
    numbers = {"value": round(value, 1), "unit": "µs", "against": round(against, 1), "ratio": round(value / against, 2)}
    print(json.dumps({"bench": "edge", "figure": name, **numbers}, ensure_ascii=False))


def main() -> None:
    blind = re.compile(f"\ue000{NONCE}(\\d{{4}})\ue001")
    for name, row in (("prose", PROSE), ("catalogue", CATALOGUE)):
        text = page(row)
        filled = microseconds(partial(fill_html, text, NONCE, lambda _: "Ann <O'Hara>"))
        replaced = microseconds(partial(blind.sub, lambda _: html.escape("Ann <O'Hara>"), text))
        figure(f"fill_html {name}, {text.count('<')} tags, {SIZE // 1000} KB, {VALUES} values", filled, replaced)
    body, guard = page(CATALOGUE).encode(), ExitGuard()
    for value in OPENED:
        guard.watch("contact", value)
    plain = [value.encode() for value in OPENED]
    searched = microseconds(lambda: guard.search(body))
    figure(
        f"guard.search {SIZE // 1000} KB, {len(OPENED)} values",
        searched,
        microseconds(lambda: [v in body for v in plain]),
    )


if __name__ == "__main__":
    main()

"""Markers: filled in once, escaped, whole or not at all."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.markers import CLOSE, LIMIT, OPEN, fill_header, fill_html, fill_text, marker, numbers, without_marks
from avow.errors import Refused

NONCE = "0123456789ab"
OTHER = "ffffffffffff"


def m(number: int = 0, nonce: str = NONCE) -> str:
    return marker(nonce, number)


def test_each_marker_is_replaced_by_its_own_escaped_value() -> None:
    values = {7: "Ann <b>", 9999: '"O\'Hara" & Sons'}
    page = f'<p>{m(7)}</p><input value="{m(9999)}">{m(7)}'
    assert fill_html(page, NONCE, values.__getitem__) == (
        '<p>Ann &lt;b&gt;</p><input value="&quot;O&#x27;Hara&quot; &amp; Sons">Ann &lt;b&gt;'
    )
    assert fill_text(page, NONCE, values.__getitem__) == (
        '<p>Ann <b></p><input value=""O\'Hara" & Sons">Ann <b>'
    )  # fmt: skip
    assert numbers(page, NONCE) == [7, 9999]


def test_a_page_without_markers_comes_back_as_it_was() -> None:
    page = "<script>'</p>'</script><!-- & < > \" ' \ue002 \uf8ff"
    assert fill_html(page, NONCE, str) == page
    assert numbers("", NONCE) == []


@pytest.mark.parametrize("page", [
    m(nonce=OTHER), m().upper(), m()[:-1], m()[1:], m()[:9], OPEN, CLOSE, f"{CLOSE}{m()}", f"{OPEN}{m()}",
    f"{m()}{CLOSE}",
    f"{m()}<p>{m()[:10]}…", m().replace("0000", "000"), m().replace("0000", "00000"), m().replace("0000", "-001"),
    m().replace("0000", "٠٠٠٠"), m().replace("0000", "²²²²"), m()[::-1], f"{OPEN}{NONCE}{m()}0000{CLOSE}",
    m().replace("0123", "012<wbr>3"), f"{OPEN}{CLOSE}", m() + m(nonce=OTHER), m(nonce="0123456789ac"),
])  # fmt: skip
@pytest.mark.parametrize("fill", [fill_html, fill_text, fill_header])
def test_a_marker_that_is_not_whole_and_ours_stops_the_page(
    page: str, fill: Callable[[str, str, Callable[[int], str]], str]
) -> None:
    def value_of(number: int) -> str:
        pytest.fail(f"value {number} was asked for")

    with pytest.raises(Refused, match="a marker near line 3 is broken or belongs to another unit of work"):
        fill(f"a\nb\n{page} {m(5)}", NONCE, value_of)
    with pytest.raises(Refused):
        numbers(page, NONCE)


def test_the_refusal_names_line_and_place_and_asks_for_no_value() -> None:
    page = f"<p>{m(1)}</p>\n\n<a href='/orders?mail={m(2)}'>"
    with pytest.raises(Refused) as caught:
        fill_html(page, NONCE, lambda number: pytest.fail(f"{number} was opened"))
    assert "in the attribute href of <a> (line 3 of the page)" in str(caught.value)
    assert "help: show it as text" in str(caught.value)


def test_a_value_never_makes_a_marker_in_this_pass_or_the_next() -> None:
    values = {0: f"{m(1)} {OPEN}{CLOSE}", 1: "secret of somebody else"}
    for fill in (fill_html, fill_text):
        once = fill(f"<p>{m(0)}</p>", NONCE, values.__getitem__)
        assert "secret" not in once
        assert fill(once, NONCE, values.__getitem__) == once
    assert html.unescape(fill_html(m(0), NONCE, values.__getitem__)) == values[0]


def test_incoming_text_loses_the_marks_and_nothing_else() -> None:
    assert without_marks(f"a{m(3)}\ue002b") == f"a\ufffd{NONCE}0003\ufffd\ue002b"
    assert without_marks("plain") == "plain"


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\u2029", "\x1b"])
def test_a_header_with_a_line_break_is_refused_without_showing_the_value(break_: str) -> None:
    with pytest.raises(Refused) as caught:
        fill_header(f"Order for {m()}", NONCE, lambda _: f"Ann{break_}Bcc: all@example.org")
    assert "all@example.org" not in str(caught.value)
    with pytest.raises(Refused):
        fill_header(f"Order{break_} for {m()}", NONCE, lambda _: "Ann")
    assert fill_header(f"Order for {m()}", NONCE, lambda _: "Zoë\u00a0<O'Hara>") == "Order for Zoë\u00a0<O'Hara>"


@pytest.mark.parametrize(
    ("nonce", "number"), [("", 0), ("0123456789AB", 0), (NONCE + "\n", 0), (NONCE, -1), (NONCE, LIMIT)]
)
def test_a_marker_out_of_shape_is_never_made(nonce: str, number: int) -> None:
    with pytest.raises(ValueError, match="nonce"):
        marker(nonce, number)


@given(
    st.lists(st.tuples(st.text(alphabet=st.characters(exclude_characters=OPEN + CLOSE)), st.integers(0, LIMIT - 1))),
    st.text(),
    st.text(),
)
def test_what_stands_around_the_markers_is_kept_to_the_letter(
    parts: list[tuple[str, int]], tail: str, value: str
) -> None:
    tail = without_marks(tail)
    text = "".join(before + m(number) for before, number in parts) + tail
    filled = fill_text(text, NONCE, lambda number: f"{number}{value}")
    assert filled == "".join(f"{before}{number}{without_marks(value)}" for before, number in parts) + tail
    assert numbers(text, NONCE) == list(dict.fromkeys(number for _, number in parts))


@given(st.text())
def test_every_value_reads_back_from_text_and_attribute_as_it_was(value: str) -> None:
    filled = fill_html(f'<p>{m()}</p><input value="{m()}">', NONCE, lambda _: value)
    shown = filled.removeprefix("<p>").removesuffix('">').split('</p><input value="')
    assert len(shown) == 2
    for text in shown:
        assert not set("<>\"'" + OPEN + CLOSE) & set(text)
        # not html.unescape alone: it would drop the control characters of `value` that were never escaped
        back = text.replace("&#xe000;", OPEN).replace("&#xe001;", CLOSE).replace("&lt;", "<").replace("&gt;", ">")
        assert back.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&") == value


@given(st.text(alphabet=OPEN + CLOSE + NONCE + "0<>'\"=/a !-") | st.text(), st.booleans())
def test_no_page_makes_the_filling_fail_in_another_way_than_refusing(page: str, marked: bool) -> None:
    page = page + m() + page if marked else page
    try:
        assert m() not in fill_html(page, NONCE, lambda _: "value")
    except Refused:
        return


def test_nothing_is_judged_for_a_page_that_cannot_be_filled_and_nothing_opened_before_it_is_judged() -> None:
    asked: list[object] = []

    def value_of(number: int) -> str:
        asked.append(number)
        return "value"

    with pytest.raises(Refused):
        fill_html(f'<a href="{m(0)}">', NONCE, value_of, before=asked.append)
    assert asked == []
    fill_html(f"<p>{m(1)}{m(0)}{m(1)}</p>", NONCE, value_of, before=asked.append)
    assert asked == [[1, 0, 1], 1, 0, 1]


def test_what_is_raised_before_stops_the_page() -> None:
    def refuse(_numbers: list[int]) -> None:
        raise Refused("not here")

    with pytest.raises(Refused, match="not here"):
        fill_html(f"<p>{m(0)}</p>", NONCE, lambda number: pytest.fail(f"{number} was opened"), before=refuse)

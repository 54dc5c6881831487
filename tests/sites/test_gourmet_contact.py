"""Asking the gourmet shop on its page, and how much of that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Gourmet
from .subscribers import ANN, BOB, module

QUESTION = {"text": "Is the Comté made of raw milk?"}


def ask(gourmet: Gourmet, address: str = ANN) -> Any:
    return gourmet.customer().send("/contact", {**QUESTION, "email": address})


def asked(gourmet: Gourmet) -> int:
    with gourmet.acting("answers", place="contact_page") as work:
        return len(work.select(module(gourmet, "request").Request))


def test_who_asks_a_lot_in_a_row_is_asked_to_wait_and_nobody_else_is(gourmet: Gourmet) -> None:
    for _ in range(5):
        assert ask(gourmet).status_code == 303
    answer = ask(gourmet, ANN.upper())
    assert answer.status_code == 422
    assert "several things in a row, thank you. Please wait 1 minute with" in answer.text
    assert QUESTION["text"] in answer.text, "what was typed is not lost"
    assert ask(gourmet, BOB).status_code == 303
    assert asked(gourmet) == 6
    gourmet.clock.advance(30)
    assert ask(gourmet).status_code == 303


def test_all_together_are_taken_as_many_an_hour_as_can_be_read(
    gourmet: Gourmet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module(gourmet, "request"), "AT_MOST", 3)
    for number in range(3):
        assert ask(gourmet, f"{number}@canary-mail.example").status_code == 303
    answer = ask(gourmet)
    assert answer.status_code == 422
    assert "More questions have come in this hour than we can read." in answer.text
    assert QUESTION["text"] in answer.text
    assert asked(gourmet) == 3
    gourmet.clock.advance(3600)
    assert ask(gourmet).status_code == 303

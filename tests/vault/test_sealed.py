"""A sealed value shows nothing of itself, whatever is done with it by accident."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from avow.errors import AvowError, Refused, SealedError
from avow.vault.sealed import Given

SECRET = "Ann Example"


@pytest.fixture(params=["stored", "given"])
def value(request: pytest.FixtureRequest, site: Any, ann: tuple[str, str]) -> Any:
    if request.param == "given":
        return Given("contact.name", SECRET)
    with site.acting("desk", "lending") as work:
        return work.db.get(site.Member, ann).name


def test_no_way_of_printing_shows_it(value: Any) -> None:
    shown = [str(value), repr(value), f"{value}", f"{value:>40}", f"{value} {value!r}", repr([value]), ascii(value)]
    assert not [text for text in shown if SECRET in text]
    assert str(value) == "<sealed contact.name>"


def test_json_pickle_and_copies_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        json.dumps({"name": value})
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, lambda v: v.__getstate__()):
        with pytest.raises(SealedError, match="cannot be copied"):
            attempt(value)


OPERATIONS: list[Callable[[Any], object]] = [
    lambda v: v == SECRET, lambda v: v != SECRET, lambda v: v < SECRET, len, list, hash,
    lambda v: v + "", lambda v: "" + v, lambda v: "A" in v, lambda v: v[0], lambda v: {v: 1},
]  # fmt: skip


def test_comparing_measuring_and_hashing_are_refused(value: Any) -> None:
    for operation in OPERATIONS:
        with pytest.raises(TypeError):
            operation(value)


def test_it_has_no_dictionary_to_look_into(value: Any) -> None:
    with pytest.raises(TypeError):
        vars(value)


def test_logs_and_tracebacks_show_nothing(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        raise RuntimeError(f"cannot handle {value}")
    except RuntimeError as error:
        logging.getLogger("club").exception("failed with %s", value)
        trace = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert SECRET not in caplog.text
    assert SECRET not in trace


def test_outside_a_unit_it_neither_opens_nor_renders(value: Any) -> None:
    with pytest.raises(Refused, match="outside a unit of work"):
        value.open()
    with pytest.raises(Refused, match="outside a unit of work"):
        value.__html__()


def test_an_sql_error_shows_no_parameter(site: Any, ann: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SQLAlchemyError) as caught, site.acting("desk", "lending") as work:
        work.db.execute(text("INSERT INTO club_member (nothing) VALUES (:v)"), {"v": SECRET})
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in caplog.text


def test_every_error_of_the_tree_can_be_raised_with_help() -> None:
    assert str(AvowError("what", help="do this")) == "what\n  help: do this"

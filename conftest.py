"""What every test run needs: selection by promise row, and the mark of the randomised tests.

pytest --promise I2              the tests that show row I2
pytest --promise I2:holds,I7     the `holds` tests of I2, and every test of I7
pytest -m campaign               the randomised tests, which `make soak` repeats
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from avow.cli.trace import KINDS, read_promises


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promise", metavar="ROW[:KIND],...", default="", help="run only the tests of these promise rows")


def pytest_configure() -> None:
    # Thousands of sites come and go, and their classes and policies are many objects: looking through all of them as
    # often as Python does by itself takes a quarter of the time.
    gc.set_threshold(50_000, 20, 50)
    # Nothing is timed here: how long an example takes says how busy the machine is.
    settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    rows = {promise.row for promise in read_promises(Path(__file__).parent)}
    wanted = _wanted(config.getoption("--promise"), rows)
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.campaign)
    if wanted:
        chosen = [item for item in items if wanted & _promises(item, rows)]
        for item in chosen:  # a report says which rows a test is of
            item.user_properties += [("promise", f"{row}:{kind}") for row, kind in sorted(_promises(item, rows))]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
    else:
        for item in items:
            _promises(item, rows)


def _promises(item: pytest.Item, rows: set[str]) -> set[tuple[str, str]]:
    """The (row, kind) pairs that a test is marked with. A mark of no known row or kind ends the run."""
    found = {(*mark.args, *mark.kwargs.values()) for mark in item.iter_markers("promise")}
    for words in found:
        if len(words) != 2 or words[0] not in rows or words[1] not in KINDS:
            raise pytest.UsageError(f"{item.nodeid}: the mark promise{words} names no row and kind (works or holds)")
    return {(row, kind) for row, kind in found}


def _wanted(option: str, rows: set[str]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for word in filter(None, option.split(",")):
        row, _, kind = word.partition(":")
        if row not in rows or (kind and kind not in KINDS):
            raise pytest.UsageError(f"--promise {word}: not a row of sites/promises.yaml with `works` or `holds`")
        pairs |= {(row, each) for each in ((kind,) if kind else KINDS)}
    return pairs

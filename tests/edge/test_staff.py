"""Letting members of staff in: by name and password, a few attempts at a time."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from avow.edge.staff import FIRST_WAIT, FREE, LONGEST_WAIT, STRANGERS, Member, Staff, Turned
from avow.keys.passwords import hash_password
from avow.testing.clock import FrozenClock

PASSWORD = "kettle over the blue barn"
HASH = hash_password(PASSWORD)


def header(name: str, password: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(1_795_000_000.0)


@pytest.fixture
def members() -> dict[str, Member]:
    return {"berta": Member("berta", ("order_desk",), HASH), "otto": Member("otto", ("order_desk", "report"), HASH)}


@pytest.fixture
def staff(members: Mapping[str, Member], clock: FrozenClock) -> Staff:
    return Staff(lambda: members, clock)


def turned(found: Member | Turned) -> Turned:
    assert isinstance(found, Turned)
    return found


def test_the_right_password_lets_in_whom_the_desk_is_for(staff: Staff) -> None:
    for _ in range(2 * FREE):
        found = staff.admit(header("berta", PASSWORD), ("order_desk",))
        assert isinstance(found, Member)
        assert found.name == "berta"
    assert isinstance(staff.admit(header("otto", PASSWORD, "BASIC"), ("service_desk", "report")), Member)


def test_who_has_another_role_is_told_so(staff: Staff) -> None:
    found = turned(staff.admit(header("berta", PASSWORD), ("report", "service_desk")))
    assert (found.status, found.headers) == (403, ())


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic " + base64.b64encode(b"berta").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer " + base64.b64encode(f"berta:{PASSWORD}".encode()).decode(),
        header("berta", ""),
        header("berta", PASSWORD + "x"),
        header("Berta", PASSWORD),
        header("", PASSWORD),
        header("berta", HASH),
        header("nobody", PASSWORD),
        header("berta", "x" * 100_000),
    ],
)
def test_anything_else_is_asked_for_name_and_password(staff: Staff, sent: str | None) -> None:
    found = turned(staff.admit(sent, ("order_desk",)))
    assert found.status == 401
    assert dict(found.headers)[b"www-authenticate"].startswith(b"Basic realm=")


def test_a_name_has_to_wait_after_a_few_wrong_attempts(staff: Staff, clock: FrozenClock) -> None:
    for name in ("berta", "nobody"):
        for _ in range(FREE):
            assert turned(staff.admit(header(name, "wrong"), ("order_desk",))).status == 401
        waiting = turned(staff.admit(header(name, PASSWORD), ("order_desk",)))
        assert waiting.status == 429, "also the right password is not looked at"
        assert dict(waiting.headers)[b"retry-after"] == b"31"
    assert isinstance(staff.admit(header("otto", PASSWORD), ("order_desk",)), Member), "others do not wait"
    clock.advance(FIRST_WAIT)
    assert turned(staff.admit(header("berta", "wrong"), ("order_desk",))).status == 401
    clock.advance(FIRST_WAIT)
    assert turned(staff.admit(header("berta", PASSWORD), ("order_desk",))).status == 429, "twice as long"
    clock.advance(FIRST_WAIT)
    assert isinstance(staff.admit(header("berta", PASSWORD), ("order_desk",)), Member)
    assert turned(staff.admit(header("berta", "wrong"), ("order_desk",))).status == 401, "counted anew"


def test_nobody_waits_for_ever(staff: Staff, clock: FrozenClock) -> None:
    for _ in range(FREE + 12):
        turned(staff.admit(header("berta", "wrong"), ("order_desk",)))
        clock.advance(LONGEST_WAIT)
    assert isinstance(staff.admit(header("berta", PASSWORD), ("order_desk",)), Member)


def test_attempts_at_the_same_time_do_not_count_as_one(staff: Staff) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: turned(staff.admit(header("berta", f"{n}"), ("order_desk",))), range(4 * FREE)))
    assert sum(each.status == 401 for each in found) == FREE


def test_a_flood_of_names_does_not_wipe_out_what_a_member_has_to_wait(staff: Staff) -> None:
    for _ in range(FREE):
        staff.admit(header("berta", "wrong"), ("order_desk",))
    for number in range(STRANGERS + 2):
        staff._begin(f"stranger{number}", None)
    assert len(staff._strangers) == STRANGERS
    assert turned(staff.admit(header("berta", PASSWORD), ("order_desk",))).status == 429


def test_a_changed_password_or_a_removed_member_counts_at_once(staff: Staff, members: dict[str, Member]) -> None:
    assert isinstance(staff.admit(header("berta", PASSWORD), ("order_desk",)), Member)
    members["berta"] = Member("berta", ("order_desk",), hash_password("another one entirely"))
    assert turned(staff.admit(header("berta", PASSWORD), ("order_desk",))).status == 401
    del members["berta"]
    assert turned(staff.admit(header("berta", "another one entirely"), ("order_desk",))).status == 401


def test_neither_answer_nor_log_quotes_what_was_typed(staff: Staff, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = turned(staff.admit(header("gertrude-q", "zephyrine"), ("order_desk",)))
    said = caplog.text + found.words + found.title + repr(found.headers) + repr(Member("berta", (), HASH))
    assert "failed" in said
    assert not [text for text in ("gertrude", "zephyrine", "argon2id") if text in said]

"""A slice of the fuzzing: seeded random bytes, and good inputs with random changes, through the same two targets."""

from __future__ import annotations

import os
import random

import pytest

from tests.campaigns.fuzz_policy import TARGETS, WORDS, seeds

SEED = int(os.environ.get("SOAK_SEED", "0"))


def changed(data: bytes, chance: random.Random) -> bytes:
    """The input with a few pieces put in, taken out, doubled or exchanged."""
    made = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at, length = chance.randrange(len(made) + 1), chance.choice([1, 1, 2, 5, 20])
        kind = chance.randrange(5)
        if kind == 0:
            made[at : at + length] = b""
        elif kind == 1:
            made[at:at] = chance.choice(WORDS).encode()
        elif kind == 2:
            made[at:at] = made[at : at + length] * chance.choice([1, 1, 30])
        elif kind == 3:
            made[at : at + length] = chance.randbytes(length)
        else:
            other = chance.randrange(len(made) + 1)
            made[at:at] = made[other : other + 4 * length]
    return bytes(made)


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "inputs"), [("rules", 3_000), ("files", 400)])
def test_no_input_crashes_the_reader(name: str, inputs: int) -> None:
    chance = random.Random(f"{SEED} {name}")
    started = seeds(name)
    for number in range(inputs):
        if number % 10 == 0:
            data = chance.randbytes(chance.randrange(200))
        elif number % 10 == 1:
            data = "".join(chance.choices(WORDS, k=chance.randrange(1, 30))).encode()
        else:
            data = changed(chance.choice(started), chance)
        try:
            TARGETS[name](data)
        except Exception as error:
            error.add_note(f"seed {SEED}, input {number}: {data!r}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_the_inputs_to_start_from_are_good(name: str) -> None:
    for data in seeds(name):
        TARGETS[name](data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rules", b"may keep " + b"a(" * 5000),
        ("rules", b"may keep a when " + b"not (" * 5000 + b"b" + b")" * 5000),
        ("rules", b"may keep a within " + b"9" * 5000 + b" days"),
        ("rules", b"may keep " + b"a" * 20_000),
        ("files", b"---\na: " + b"[" * 10_000 + b"\n---\n"),
        ("files", b"---\n" + b"".join(b" " * i + b"a:\n" for i in range(100)) + b"---\n"),
        ("files", b">" * 5000 + b" a\n"),
        ("files", b"- " * 2000 + b"a\n"),
        ("files", b"---\nsite: \xff\xfe\n---\n\n\x00\n"),
        ("files", b"[" * 3000 + b"](" * 3000),
        ("files", b"*a_ " * 3000),
    ],
    ids=range(11),
)
def test_what_is_made_to_exhaust_a_reader_does_not(name: str, data: bytes) -> None:
    TARGETS[name](data)

"""Predicates with code: how they are declared, what their files have to be, and what is said when they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.language import read
from avow.language.predicates import LARGEST, fingerprint
from avow.values import Diagnostic
from tests.language.published import CODE, DELIVERABLE, RULE, publish, text

OTHER = "sha256:" + 64 * "0"


def faults(policy: Path) -> list[Diagnostic]:
    return read(policy.read_text("utf-8"), policy.name, policy.parent).diagnostics


def only(policy: Path) -> Diagnostic:
    (fault,) = faults(policy)
    return fault


def test_published_code_is_read_and_not_run(tmp_path: Path) -> None:
    policy = publish(tmp_path, code=CODE + "\nraise RuntimeError\n")
    reading = read(policy.read_text("utf-8"), "policy.md", tmp_path)
    assert reading.diagnostics == []
    assert {name: (code.line, code.measures) for name, code in reading.front.code.items()} == {
        "deliverable": (10, False),
        "cost": (18, True),
    }


def test_without_its_folder_a_policy_has_no_code_and_no_fault() -> None:
    reading = read(text())
    assert (reading.diagnostics, reading.front.code) == ([], {})
    assert set(reading.front.predicates) == {"deliverable", "cost"}


def test_line_ends_and_a_byte_order_mark_do_not_change_a_fingerprint(tmp_path: Path) -> None:
    policy = publish(tmp_path)
    for written in (CODE.replace("\n", "\r\n"), CODE.replace("\n", "\r"), "\ufeff" + CODE):
        (tmp_path / "predicates.py").write_bytes(written.encode())
        assert faults(policy) == []


@pytest.mark.parametrize("change", [CODE.replace("50", "51"), CODE.replace("near enough", "near"), CODE + "\n"])
def test_any_other_change_of_the_file_is_a_fault_that_gives_its_fingerprint(tmp_path: Path, change: str) -> None:
    policy = publish(tmp_path, deliverable=DELIVERABLE)
    (tmp_path / "predicates.py").write_text(change)
    fault = only(policy)
    assert fault.message == "the code of `deliverable` is no longer what the policy was published with"
    assert fault.help
    assert fault.help.startswith(f'if it is meant, raise `version` and write `fingerprint: "{fingerprint(change)}"`')
    assert fault.source[fault.column - 1 :][: fault.width] == f'"{fingerprint(CODE)}"'


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (DELIVERABLE.replace(', fingerprint: "FINGERPRINT"', ""), "the function of `deliverable` has no fingerprint"),
        (DELIVERABLE.replace("FINGERPRINT", "sha256:12"), "is not `sha256:` and 64 hexadecimal digits"),
        (DELIVERABLE.replace("FINGERPRINT", OTHER.upper()), "is not `sha256:` and 64 hexadecimal digits"),
    ],
)
def test_a_missing_fingerprint_is_told_by_check(tmp_path: Path, declared: str, message: str) -> None:
    fault = only(publish(tmp_path, deliverable=declared))
    assert message in fault.message
    assert fault.help
    assert fingerprint(CODE) in fault.help
    (blind,) = read(text(deliverable=declared)).diagnostics
    assert message in blind.message


def test_a_fingerprint_without_a_function_is_a_fault(tmp_path: Path) -> None:
    policy = publish(tmp_path, deliverable=f'{{arguments: 1, fingerprint: "{OTHER}"}}')
    assert only(policy).message == "`deliverable` has a fingerprint and no function"


@pytest.mark.parametrize(
    "function",
    [
        "deliverable", "predicates.py", "predicates:deliverable", "predicates.py:", "predicates.py:a.b", "",
        "predicates.txt:deliverable", "../predicates.py:deliverable", "a/../../predicates.py:deliverable",
        "./../predicates.py:deliverable", "/etc/predicates.py:deliverable", "//host/predicates.py:deliverable",
        "C:/predicates.py:deliverable", "C:predicates.py:deliverable", "..\\\\predicates.py:deliverable",
        "~/predicates.py:deliverable ; x", "predicates.py\\u0000:deliverable", "a//predicates.py:deliverable",
        "%2e%2e/predicates.py:deliverable", "..:deliverable", "predicates.py:deliverable\\n",
    ],
)  # fmt: skip
def test_a_function_is_named_beside_the_policy_or_not_at_all(tmp_path: Path, function: str) -> None:
    home = tmp_path / "site"
    home.mkdir()
    (tmp_path / "predicates.py").write_text(CODE)
    declared = DELIVERABLE.replace("predicates.py:deliverable", function)
    reading = read(publish(home, deliverable=declared).read_text("utf-8"), "policy.md", home)
    if function.endswith("\\n"):  # blanks around a value are no part of it
        assert reading.diagnostics == []
        return
    (fault,) = reading.diagnostics
    assert "is no function beside the policy" in fault.message
    assert reading.front.code == {}


def test_a_file_below_the_folder_is_beside_the_policy(tmp_path: Path) -> None:
    policy = publish(tmp_path, deliverable=DELIVERABLE.replace("predicates.py", "rules/v1.2/predicates.py"))
    (tmp_path / "rules/v1.2").mkdir(parents=True)
    (tmp_path / "predicates.py").rename(tmp_path / "rules/v1.2/predicates.py")
    assert faults(policy) == []


def test_a_link_out_of_the_folder_is_refused_and_one_within_is_followed(tmp_path: Path) -> None:
    home = tmp_path / "site"
    home.mkdir()
    policy = publish(home, deliverable=DELIVERABLE)
    code = home / "predicates.py"
    code.rename(home / "real.py")
    code.symlink_to("real.py")
    assert faults(policy) == []
    code.unlink()
    (home / "real.py").rename(tmp_path / "outside.py")
    code.symlink_to(tmp_path / "outside.py")
    assert only(policy).message == "`predicates.py` leads out of the policy's folder"
    code.unlink()
    code.symlink_to(code)
    assert "predicates.py" in only(policy).message


def test_a_folder_that_is_a_link_itself_is_the_policys_folder(tmp_path: Path) -> None:
    home = tmp_path / "v1"
    home.mkdir()
    publish(home)
    (tmp_path / "current").symlink_to("v1")
    assert faults(tmp_path / "current" / "policy.md") == []


def test_what_is_no_readable_file_is_said_to_be_none(tmp_path: Path) -> None:
    policy = publish(tmp_path, deliverable=DELIVERABLE)
    code = tmp_path / "predicates.py"
    code.unlink()
    assert only(policy).message == "there is no file `predicates.py` beside the policy"
    code.mkdir()
    assert only(policy).message == "`predicates.py` is not a file"
    code.rmdir()
    os.mkfifo(code)
    assert only(policy).message == "`predicates.py` is not a file"
    code.unlink()
    code.write_bytes(b"\xff")
    assert only(policy).message == "`predicates.py` is not UTF-8 text: byte 0 is wrong"


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    policy = publish(tmp_path, deliverable=DELIVERABLE)
    with (tmp_path / "predicates.py").open("wb") as stream:
        stream.truncate(1 << 40)  # a terabyte without a block on disk
    assert only(policy).message == "`predicates.py` is larger than 256 KiB"
    padded = CODE + "#" * (LARGEST - len(CODE.encode()))
    policy = publish(tmp_path, code=padded, deliverable=DELIVERABLE)
    assert faults(policy) == []


def test_a_word_of_every_policy_is_not_answered_by_code(tmp_path: Path) -> None:
    rule = "may share contact.address with carrier for shipping when consented(contact)"
    fault = only(publish(tmp_path, rule, consented=DELIVERABLE))
    assert fault.message == "`consented` is a word of every policy; its answer is not replaced by a function"


@pytest.mark.parametrize(
    ("condition", "message", "word"),
    [
        ("cost", "`cost` is a number, not a yes or no", "cost"),
        ("plain and not cost", "`cost` is a number, not a yes or no", "cost"),
        ("near > 3", "`near` answers yes or no and cannot be compared", "near"),
    ],
)
def test_a_number_is_compared_and_a_yes_is_not(tmp_path: Path, condition: str, message: str, word: str) -> None:
    code = CODE + "\n\ndef near(facts: Facts) -> bool | None:\n    return None\n"
    declared = '{function: "predicates.py:%s", fingerprint: "FINGERPRINT"}'
    rule = f"may share contact.address with carrier for shipping when {condition}"
    fault = only(publish(tmp_path, rule, code=code, cost=declared % "cost", near=declared % "near"))
    assert fault.message == message
    assert fault.source[fault.column - 1 :][: fault.width] == word


def test_a_number_is_no_beginning_of_a_period(tmp_path: Path) -> None:
    fault = only(publish(tmp_path, RULE + "\nmust destroy contact.address within 3 days after cost"))
    assert fault.message == "`cost` is a number, not a yes or no"


@pytest.mark.parametrize("written", ["one", "-1", "1.5", "9" * 5000, "²"])
def test_a_number_of_arguments_is_a_small_number(written: str) -> None:
    found = read(text("may share contact.address with carrier for shipping", odd=f"{{arguments: {written}}}"))
    assert [fault.message for fault in found.diagnostics] == [f"`{written}` is not a number of arguments"]


def test_a_lifetime_has_no_thousand_digits() -> None:
    source = text("may share contact.address with carrier for shipping").replace(
        "predicates:", f"cookies: {{cart: {{purpose: shipping, within: {'9' * 5000} days}}}}\npredicates:"
    )
    assert "is not a length of time" in read(source).diagnostics[0].message

"""Custom predicates at work: what a function is asked, what it may do, and what happens when it fails."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from avow.engine import Policy
from avow.engine.compare import compare
from avow.errors import PolicyError, SetupError
from avow.values import Facts
from tests.language.published import CODE, COST, DELIVERABLE, RULE, publish, text

HEAD = "from avow import Facts\n\n\n"
ASKED = "deliverable(contact.address)"


def load(folder: Path, body: str, rules: str = RULE, **predicates: str) -> Policy:
    """A policy whose `deliverable` is made of this body."""
    code = f"{HEAD}def deliverable(facts: Facts, what: str) -> bool | None:\n    {body}\n"
    return Policy.load(publish(folder, rules, code=code, **(predicates or {"deliverable": DELIVERABLE})))


def permitted(policy: Policy, facts: Facts) -> bool:
    flow = {"recipient": "carrier", "purpose": "shipping", "channel": "https"}
    return policy.judge("share", "contact.address", **flow, facts=policy.facts(facts)).permitted


@pytest.mark.parametrize(
    ("facts", "answer"),
    [({"distance": 12.0}, True), ({"distance": 50}, True), ({"distance": 51}, False), ({}, None)],
)
def test_a_function_answers_from_the_other_facts(tmp_path: Path, facts: Facts, answer: bool | None) -> None:
    policy = Policy.load(publish(tmp_path))
    assert policy.facts(facts).get(ASKED) is answer
    assert policy.facts(facts)[ASKED] is answer
    assert permitted(policy, facts) is (answer is True)


@pytest.mark.parametrize(("weight", "answer"), [(1.0, True), (2, False), (None, False)])
def test_a_number_is_compared_as_age_is(tmp_path: Path, weight: float | None, answer: bool) -> None:
    rule = "may share contact.address with carrier for shipping when cost < 3"
    policy = Policy.load(publish(tmp_path, rule))
    assert permitted(policy, {"weight": weight}) is answer


def test_arguments_come_as_they_are_spelled(tmp_path: Path) -> None:
    rule = (
        "may share contact.address with carrier for shipping "
        "when fits(recipient, plain, 3 days) or fits(plain(2, shipping), carrier, group 20)"
    )
    code = f"{HEAD}def fits(facts: Facts, a: str, b: str, c: str) -> bool | None:\n    raise KeyError((a, b, c))\n"
    code = code.replace(
        "raise KeyError((a, b, c))", "return (a, b, c) == ('plain(2, shipping)', 'carrier', 'group 20')"
    )
    declared = '{arguments: 3, function: "predicates.py:fits", fingerprint: "FINGERPRINT"}'
    policy = Policy.load(publish(tmp_path, rule, code=code, fits=declared))
    assert policy.facts({}).get("fits(recipient, plain, 3 days)") is False
    assert permitted(policy, {})
    assert policy.facts({}).get("fits(recipient, plain)") is None
    assert policy.facts({}).get("fits") is None


def test_a_function_is_asked_once_in_one_moment_and_only_when_it_matters(tmp_path: Path) -> None:
    policy = Policy.load(publish(tmp_path))
    asked: list[str] = []

    class Watched(Mapping[str, Any]):
        def __getitem__(self, key: str) -> float:
            asked.append(key)
            return {"distance": 3.0}[key]

        def __iter__(self) -> Any:
            return iter(("distance",))

        def __len__(self) -> int:
            return 1

    facts = policy.facts(Watched())
    assert asked == []
    assert [facts.get(ASKED) for _ in range(3)] == [True, True, True]
    assert asked.count("distance") == 1
    assert policy.facts(Watched()).get(ASKED) is True
    assert asked.count("distance") == 2


def test_facts_are_those_that_were_given_and_the_answers(tmp_path: Path) -> None:
    facts = Policy.load(publish(tmp_path)).facts({"distance": 1.0, "gone": None})
    assert dict(facts) == {"distance": 1.0, "gone": None}
    assert facts[ASKED] is True
    assert (len(facts), "nothing" in facts, ASKED in facts) == (3, False, True)


def test_no_fact_answers_in_the_place_of_published_code(tmp_path: Path) -> None:
    for policy in (Policy.load(publish(tmp_path)), Policy.parse(text())):
        with pytest.raises(SetupError, match=r"`deliverable\(contact.address\)` was given as a fact"):
            policy.facts({ASKED: True})
        assert policy.facts({}, supposed={ASKED: True}).get(ASKED) is True


def test_a_policy_without_code_leaves_the_facts_alone_and_the_answers_unknown() -> None:
    policy = Policy.parse(text())
    facts = {"distance": 1.0}
    assert policy.facts(facts) is facts
    assert not permitted(policy, facts)
    assert Policy.parse(text(), folder=None).digest == policy.digest


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError(f'no {facts}')", "failed with ValueError at line 5"),
        ("return 1 / 0 > 1", "failed with ZeroDivisionError at line 5"),
        ("return facts['distance'](3)", "failed with TypeError at line 5"),
        ("return deliverable(facts, what)", "failed with RecursionError at line 5"),
        ("facts['distance'] = 1.0", "failed with TypeError at line 5"),
        ("facts.update({'age': 99})", "failed with AttributeError at line 5"),
        ("del facts['distance']", "failed with TypeError at line 5"),
        ("return 1", "gave `int`, no yes or no"),
        ("return 'yes'", "gave `str`, no yes or no"),
        ("yield True", "gave `generator`, no yes or no"),
    ],
)
def test_a_function_that_fails_is_unknown_and_reported_once_without_facts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, said: str
) -> None:
    policy = load(tmp_path, body)
    given = {"distance": 777.25, "age": 16.0}
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            assert policy.facts(given).get(ASKED) is None
            assert not permitted(policy, given)
    assert given == {"distance": 777.25, "age": 16.0}
    (record,) = caplog.records
    assert (record.name, record.levelname, record.exc_info) == ("avow.predicates", "ERROR", None)
    message = record.getMessage()
    assert message == (
        f"the predicate deliverable (predicates.py, deliverable) {said}: its answer counts as unknown, which denies"
    )
    assert "777" not in message


def test_what_fails_in_a_never_forbids(tmp_path: Path) -> None:
    rules = (
        "may share contact.address with carrier for shipping over https\n"
        f"never share contact.address with carrier when {ASKED}"
    )
    policy = load(tmp_path, "return False if facts.get('sure') else 1 / 0", rules)
    assert permitted(policy, {"sure": True})
    assert not permitted(policy, {})


@pytest.mark.parametrize("value", ["True", "'3'", "float('nan')", "[]"])
def test_what_is_no_number_is_unknown(tmp_path: Path, caplog: pytest.LogCaptureFixture, value: str) -> None:
    code = f"{HEAD}def cost(facts: Facts) -> float | None:\n    return {value}\n"
    rule = "may share contact.address with carrier for shipping when cost < 3"
    policy = Policy.load(publish(tmp_path, rule, code=code, cost=COST))
    assert not permitted(policy, {})
    assert "`, no number" in caplog.text


def test_functions_that_ask_the_facts_for_each_other_get_unknown_and_may_call_each_other(tmp_path: Path) -> None:
    code = HEAD + (
        "def one(facts: Facts) -> bool | None:\n    return facts.get('other')\n\n\n"
        "def other(facts: Facts) -> bool | None:\n    return not facts.get('one')\n\n\n"
        "def both(facts: Facts) -> bool | None:\n    return other(facts)\n"
    )
    declared = '{function: "predicates.py:%s", fingerprint: "FINGERPRINT"}'
    names = {name: declared % name for name in ("one", "other", "both")}
    rule = "may share contact.address with carrier for shipping when one or other or both"
    policy = Policy.load(publish(tmp_path, rule, code=code, **names))
    for order in (("one", "other", "both"), ("both", "other", "one")):
        facts = policy.facts({})
        assert {name: facts.get(name) for name in order} == {"one": None, "other": True, "both": True}


def test_a_file_that_is_swapped_after_loading_changes_nothing(tmp_path: Path) -> None:
    path = publish(tmp_path)
    policy = Policy.load(path)
    (tmp_path / "predicates.py").write_text(CODE.replace("return distance <= FARTHEST", "return True"))
    assert not permitted(policy, {"distance": 51})
    with pytest.raises(PolicyError, match="no longer what the policy was published with"):
        Policy.load(path)


def test_the_text_that_was_hashed_is_the_text_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever exchanges the file between two readings of it would have other code run than was hashed."""
    path = publish(tmp_path)
    times: list[str] = []
    real = Path.open

    def swapping(self: Path, *args: Any, **named: Any) -> Any:
        stream = real(self, *args, **named)
        if self.name == "predicates.py":
            times.append(self.name)
            (tmp_path / "other").replace(self)
        return stream

    (tmp_path / "other").write_text("raise RuntimeError\n")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", swapping)
        policy = Policy.load(path)
    assert times == ["predicates.py"]
    assert (tmp_path / "predicates.py").read_text() == "raise RuntimeError\n"
    assert permitted(policy, {"distance": 1})


def test_loading_leaves_nothing_behind(tmp_path: Path) -> None:
    path, modules, paths = publish(tmp_path), set(sys.modules), list(sys.path)
    Policy.load(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.md", "predicates.py"]
    assert (sys.path, {name for name in set(sys.modules) - modules if "predicates" in name}) == (paths, set())


def test_a_file_is_loaded_once_for_all_its_functions(tmp_path: Path) -> None:
    code = CODE + "\nSEEN: list[str] = []\n\n\ndef seen(facts: Facts) -> float | None:\n    return id(SEEN)\n"
    code += "\n\ndef again(facts: Facts) -> float | None:\n    return id(SEEN)\n"
    declared = '{function: "predicates.py:%s", fingerprint: "FINGERPRINT"}'
    rule = "may share contact.address with carrier for shipping when seen > 1 and again > 1"
    path = publish(tmp_path, rule, code=code, seen=declared % "seen", again=declared % "again")
    facts = Policy.load(path).facts({})
    assert facts["seen"] == facts["again"]
    assert facts["seen"] != Policy.load(path).facts({})["seen"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("\nraise RuntimeError('at once')\n", "cannot be loaded: RuntimeError: at once"),
        ("\ndeliverable = max\n", "is not the function any more"),
        ("\ndef _(facts: Facts) -> bool:\n    return True\n\n\ndeliverable = _\n", "is not the function any more"),
        ("\ndel deliverable\n", "is not the function any more"),
    ],
)
def test_code_that_cannot_be_loaded_is_a_fault_of_the_policy(tmp_path: Path, more: str, message: str) -> None:
    path = publish(tmp_path, code=CODE + more, deliverable=DELIVERABLE)
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    (fault,) = caught.value.diagnostics
    assert message in fault.message
    assert fault.source[fault.column - 1 :].startswith('"predicates.py:deliverable"')


# What comparing versions says of code.

USED = "may share contact.address with carrier for shipping over https when deliverable(contact.address)"
CHANGED = CODE.replace("50", "500")


def differences(old: str, new: str) -> list[tuple[str, str, str]]:
    found = compare(Policy.parse(old), Policy.parse(new)).differences
    return [(each.kind, each.outcome, each.summary) for each in found]


def test_other_code_is_incomparable_and_names_the_sentences_that_go_by_it() -> None:
    comparison = compare(Policy.parse(text()), Policy.parse(text(code=CHANGED)))
    (found,) = comparison.differences
    assert (found.kind, found.outcome, comparison.verdict) == ("predicate", "incomparable", "incomparable")
    assert found.summary == "Other code answers `deliverable`, on which #carrier depends."
    assert found.old.sentence
    assert found.new.sentence
    assert (found.old.sentence.anchor, found.new.sentence.anchor) == ("carrier", "carrier")
    assert "consent where code is another" in comparison.needs


def test_every_sentence_that_goes_by_the_code_is_named() -> None:
    more = "\nWe keep it.\n\n```avow #kept\nmay keep contact.address after deliverable(contact.address)\n```\n"
    ((_, _, summary),) = differences(text() + more, text(code=CHANGED) + more)
    assert summary == "Other code answers `deliverable`, on which #carrier, #kept depend."


def test_the_same_code_is_no_difference_wherever_it_lies() -> None:
    moved = text(deliverable=DELIVERABLE.replace("predicates.py", "rules/delivery.py"))
    assert differences(text(), moved) == []
    assert differences(text(), text()) == []


def test_gaining_and_losing_a_function_and_another_function_are_differences() -> None:
    plain = text(deliverable="{arguments: 1}")
    with_code = text(deliverable=DELIVERABLE)
    other = text(deliverable=DELIVERABLE.replace(":deliverable", ":reachable"))
    said = [differences(plain, with_code), differences(with_code, plain), differences(with_code, other)]
    assert [[(kind, outcome) for kind, outcome, _ in found] for found in said] == [[("predicate", "incomparable")]] * 3
    assert [found[0][2].split(" `")[0] for found in said] == [
        "Code answers now", "No code answers now", "Other code answers",
    ]  # fmt: skip


def test_code_that_no_rule_of_both_versions_asks_is_no_difference() -> None:
    unused = "may share contact.address with carrier for shipping over https when plain"
    assert differences(text(unused), text(unused, code=CHANGED)) == []
    dropped = [kind for kind, _, _ in differences(text(), text(unused, code=CHANGED))]
    assert "predicate" not in dropped


def test_renamed_words_keep_their_code() -> None:
    def renamed(code: str) -> str:
        whole = text(USED.replace("deliverable", "reached"), code=code, reached=DELIVERABLE)
        return whole.replace("predicates:", "renamed: {deliverable: reached}\npredicates:")

    assert differences(text(deliverable=DELIVERABLE), renamed(CODE)) == []
    ((kind, _, summary),) = differences(text(deliverable=DELIVERABLE), renamed(CHANGED))
    assert (kind, summary) == ("predicate", "Other code answers `reached`, on which #carrier depends.")

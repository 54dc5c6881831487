"""The mutation run, on a toy tree with one site, one guard and tests that notice, or fail to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from avow.engine import Policy
from avow.errors import SetupError
from tests.mutations import MUTATIONS, Mutation
from tests.structure.tree import ROOT, files, name
from tools.loosen import loosenings
from tools.mutate import guard_changes, mutate

POLICY = """\
---
site: toy
title: Privacy at the toy shop
version: "1"
effective: 2026-11-22
contact: {email: service@toy.example, phone: "+1 555 0100", address: "1 Toy Lane, Exampleton"}
categories:
  contact: user.contact
  contact.address: user.contact.address
  contact.email: user.contact.email
  card: user.financial
  card.number: user.financial.credit_card
purposes: {shipping: essential.service.fulfillment, advertising: marketing.advertising}
subjects: {customer: customer}
places: {checkout: {}, account: {}}
channels: {https: {}, http: {}}
recipients:
  carrier: {label: the carrier, fields: [contact.address], channels: [https], agreement: "signed 2026-01-01"}
  agency: {label: the agency, fields: [contact.address], channels: [https], agreement: "signed 2026-01-01"}
predicates: {consented: {label: agreed to, arguments: 1}}
---

# Privacy

The carrier gets your address, to bring the parcel.

```avow #carrier I7
may share contact.address with carrier
    for shipping over https   # nothing else
```

We do not keep your card.

```avow #card I2
never keep card.number
```

We keep how to reach you.

```avow #reach I3
may keep contact, card
```
"""

SITE = '''\
"""The toy shop."""


def accepts(number: str) -> bool:
    """A guard: a card number has digits only."""
    return number.isdigit()
'''

TESTS = """\
import sys
from pathlib import Path

import pytest

from avow.engine import Policy

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "sites"))

from toy.shop import accepts

POLICY = Policy.load(ROOT / "sites/toy/policy.md")


def shares(**flow):
    return POLICY.judge("share", "contact.address", **flow).permitted


@pytest.mark.promise("I7", "works")
def test_the_carrier_gets_the_address():
    assert shares(recipient="carrier", purpose="shipping", channel="https")


@pytest.mark.promise("I7", "holds")
@pytest.mark.parametrize(
    "flow", [("agency", "shipping", "https"), ("carrier", "advertising", "https")], ids=["agency", "advertising"]
)
def test_others_do_not(flow):
    recipient, purpose, channel = flow
    assert not shares(recipient=recipient, purpose=purpose, channel=channel)


@pytest.mark.promise("I2", "holds")
def test_the_card_is_not_kept():
    verdict = POLICY.judge("keep", "card.number")
    assert not verdict.permitted
    assert [sentence.anchor for sentence in verdict.sentences] == ["card"]


@pytest.mark.promise("I2", "holds")
def test_letters_are_no_card():
    assert not accepts("4242 4242")


@pytest.mark.promise("I2", "holds")
def test_that_proves_nothing():
    assert accepts("4242")
"""

GUARD = Mutation("I2", "sites/toy/shop.py", "return number.isdigit()", "return True", "letters pass as a card number")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A tree that the mutation run can work on."""
    for file, text in (("sites/toy/policy.md", POLICY), ("sites/toy/shop.py", SITE), ("tests/test_toy.py", TESTS)):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    shutil.copy(ROOT / "sites/promises.yaml", tmp_path / "sites")
    shutil.copy(ROOT / "conftest.py", tmp_path)
    markers = 'markers = ["promise(row, kind)", "campaign"]'
    (tmp_path / "pyproject.toml").write_text(f"[tool.pytest]\naddopts = ['--import-mode=importlib']\n{markers}\n")
    return tmp_path


def changes(toy: Path) -> list[str]:
    return [loosening.change.partition("  →  ")[2] for loosening in loosenings(toy / "sites/toy/policy.md")]


def test_each_rule_is_loosened_one_step_at_a_time(toy: Path) -> None:
    made = changes(toy)
    carrier = [change for change in made if change.startswith("may share")]
    assert "may share contact with carrier for shipping over https" in carrier
    assert "may share contact.address with carrier for shipping" in carrier
    assert [change for change in carrier if "agency" in change] == [
        "may share contact.address with carrier, agency for shipping over https"
    ]
    assert len([change for change in carrier if "for shipping" not in change or "advertising" in change]) == 1
    assert len(carrier) == 4
    assert "(dropped)" in made


def test_a_looser_policy_loads_and_differs_in_its_rule_only(toy: Path) -> None:
    file = toy / "sites/toy/policy.md"
    before = {rule.text for rule in Policy.load(file).rules}
    for loosening in loosenings(file):
        after = {rule.text for rule in Policy.parse(loosening.text).rules}
        assert len(before - after) == 1
        assert len(after - before) <= 1


def test_a_widening_that_permits_nothing_new_is_left_out(toy: Path) -> None:
    assert not [change for change in changes(toy) if change.startswith("may keep")]


def test_the_run_tells_survivors_from_caught_and_names_tests_that_prove_nothing(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = mutate(toy, (GUARD,))
    out = capsys.readouterr().out
    assert sorted(line.partition("→  ")[2] for line in report.survivors) == [
        "may share contact with carrier for shipping over https",
        "may share contact.address with carrier for shipping",
    ]
    assert report.caught == 4
    assert "letters pass as a card number" in out
    assert [test.partition("::")[2] for test in report.idle_tests] == ["test_that_proves_nothing"]
    assert not report.broken_runs
    assert not report.passed


def test_a_run_in_which_all_is_noticed_passes_and_leaves_the_tree_as_it_was(toy: Path) -> None:
    tests = (toy / "tests/test_toy.py").read_text()
    (toy / "tests/test_toy.py").write_text(tests.partition('\n@pytest.mark.promise("I2", "holds")\ndef test_that')[0])
    before = {file: file.read_bytes() for file in toy.rglob("*") if file.is_file()}
    report = mutate(toy, (GUARD,), frozenset({"I2"}))
    assert (report.caught, report.passed) == (2, True)
    assert {file: file.read_bytes() for file in toy.rglob("*") if file.is_file()} == before


def test_code_that_no_longer_starts_is_not_taken_for_a_caught_loosening(toy: Path) -> None:
    broken = Mutation("I2", "sites/toy/shop.py", "return number", "return return", "not Python")
    report = mutate(toy, (broken,), frozenset({"I2"}))
    assert len(report.broken_runs) == 1
    assert not report.passed


@pytest.mark.parametrize("find", ["isdigit", "number", "absent"])
def test_a_patch_must_fit_exactly_once(toy: Path, find: str) -> None:
    patch = Mutation("I2", "sites/toy/shop.py", find, "x", "whatever")
    if find == "isdigit":
        assert len(list(guard_changes(toy, (patch,)))) == 1
    else:
        with pytest.raises(SetupError, match=r"sites/toy/shop\.py: .* occurs \d times, not once"):
            list(guard_changes(toy, (patch,)))


def test_tests_that_fail_by_themselves_end_the_run(toy: Path) -> None:
    (toy / "sites/toy/shop.py").write_text(SITE.replace("return number.isdigit()", "return True"))
    with pytest.raises(SetupError, match="fail before anything is loosened"):
        mutate(toy, (), frozenset({"I2"}))


def test_a_row_without_rule_or_guard_is_an_error_and_not_a_success(toy: Path) -> None:
    with pytest.raises(SetupError, match="nothing to loosen for I9, Z1"):
        mutate(toy, (), frozenset({"I2", "I9", "Z1"}))


def test_every_patch_of_the_project_fits() -> None:
    assert len(list(guard_changes(ROOT, MUTATIONS))) == len(MUTATIONS)


@pytest.mark.parametrize("policy", list(files("sites", suffix="policy.md")), ids=name)
def test_every_prohibition_bound_to_a_row_can_be_dropped(policy: Path) -> None:
    bound = [rule.line for rule in Policy.load(policy).rules if rule.modal == "never" and rule.sentence.rows]
    assert set(bound) == {loosening.line for loosening in loosenings(policy, modals=frozenset({"never"}))}

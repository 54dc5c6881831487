"""The fewest facts that settle a condition settle it alone; the fewest changes bring about what was asked."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from avow.engine.conditions import evaluate
from avow.engine.grounds import changes, grounds, holds, lacking, under
from avow.language.syntax import AllOf, AnyOf, Condition, Fact, Not, Term, atoms
from avow.values import Facts

NAMES = ["a", "b", "c", "d"]
facts = st.dictionaries(st.sampled_from(NAMES), st.booleans() | st.none())
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from(NAMES).map(lambda name: Fact(Term(name))),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@given(conditions, facts, st.booleans())
def test_the_grounds_settle_a_condition_whatever_the_other_facts_are(
    condition: Condition, known: Facts, want: bool
) -> None:
    if not holds(condition, known, want, known=True):
        return
    found = {str(atom) for atom in grounds(condition, known, want, known=True)}
    for others in (None, True, False):
        given = {name: known.get(name) if name in found else others for name in NAMES}
        assert evaluate(condition, given) is want


@given(conditions, facts, st.booleans())
def test_what_is_not_known_to_be_otherwise_stays_so_by_its_grounds(
    condition: Condition, known: Facts, want: bool
) -> None:
    if not holds(condition, known, want, known=False):
        return
    found = {str(atom) for atom in grounds(condition, known, want, known=False)}
    given = {name: value for name, value in known.items() if name in found}
    assert holds(condition, given, want, known=False)


@given(conditions, facts, st.booleans())
def test_the_changes_bring_it_about_and_change_only_what_has_to_be(
    condition: Condition, known: Facts, want: bool
) -> None:
    found = changes(condition, known, want)
    if found is not None:
        assert evaluate(condition, {**known, **{str(atom): value for atom, value in found}}) is want
        assert all(known.get(str(atom)) is not value for atom, value in found)
        assert {atom for atom, _ in found} <= set(atoms(condition))
        assert (found == ()) is (evaluate(condition, known) is want)


@given(conditions, facts, st.booleans())
def test_what_is_lacking_is_what_has_another_value_and_changing_it_is_enough_if_it_can_be(
    condition: Condition, known: Facts, want: bool
) -> None:
    states = {atom: evaluate(atom, known) for atom in atoms(condition)}
    found = lacking(condition, states, want)
    assert (found == ()) is (evaluate(condition, known) is want)
    if changes(condition, known, want) is not None:
        worlds = (dict(zip(found, values, strict=True)) for values in product((True, False), repeat=len(found)))
        once = len(list(atoms(condition))) == len(states)  # an atom that stands twice may pull both ways
        assert any(under(condition, {**states, **world}) is want for world in worlds) or not once


def test_no_change_makes_a_contradiction_true() -> None:
    a = Fact(Term("a"))
    assert changes(AllOf((a, Not(a))), {}, True) is None
    assert changes(AnyOf((a, AllOf((a, Not(a))))), {}, True) == ((a, True),)

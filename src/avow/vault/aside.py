"""What is shown beside the matter of a page: for a purpose of its own, to who has shown something of their own.

A shop greets a customer by name on a page that is about goods, or about somebody else's order. The greeting has another
purpose than the page, and a cookie that entitles to a greeting entitles to nothing else there. So neither the person
who is looking nor the facts of the unit change: the values of an aside are judged by facts of their own.

    greeting = work.aside(account, "presented(cookie.greeting)", purpose="greeting")
    work.render("home.html", greeting=greeting)     # {{ greeting.name }} in the template
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from avow.vault.sealed import Sealed

if TYPE_CHECKING:
    from avow.values import Verdict
    from avow.vault.record import Record
    from avow.vault.unit import Unit


class Aside:
    """The personal fields of `record`, each as a value that is shown for `purpose` to who has shown `fact`.

    A field that the record lacks is None. Nothing else of the record can be had from it.
    """

    def __init__(self, unit: Unit, record: Record, fact: str, purpose: str) -> None:
        self._unit = unit
        self._record = record
        self._purpose = purpose
        known = {**unit.common_facts(), **unit.vault.facts_of(unit, record, None), fact: True}
        self._facts = unit.vault.policy.facts(known)

    def __getattr__(self, name: str) -> Beside | None:
        if name.startswith("_") or name not in self._record.__layout__.fields:
            raise AttributeError(f"an aside of a {type(self._record).__name__} has no field `{name}`")
        value: Any = getattr(self._record, name)
        return None if value is None else Beside(value, self)

    def may_show(self, name: str) -> bool:
        """Whether this field may be shown here. A question: no refusal is noted."""
        return self.verdict(name).permitted

    def verdict(self, name: str) -> Verdict:
        """Whether and why this field may be shown here, or not. A question: no refusal is noted."""
        unit, category = self._unit, self._record.__layout__.fields[name].category
        where = {"audience": unit.audience(own=True), "place": unit.place, "role": unit.role}
        value: Sealed | None = getattr(self._record, name)
        return unit.verdict("show", category, self._facts, value, purpose=self._purpose, **where)

    def judge(self, value: Sealed, place: str | None) -> None:
        """Judge that a value of the record may be shown.

        Raises:
            Refused: no sentence permits it to who has shown this fact, for this purpose, here.
        """
        unit = self._unit
        whom, place = unit.audience(own=True), place or unit.place
        unit.judge(
            "show",
            value.category,
            value=value,
            purpose=self._purpose,
            facts=self._facts,
            audience=whom,
            place=place,
            role=unit.role,
        )


@final
class Beside(Sealed):
    """A value of an aside."""

    __slots__ = ("_aside", "_value")

    def __init__(self, value: Sealed, aside: Aside) -> None:
        self._value = value
        self._aside = aside

    @property
    def category(self) -> str:
        """The kind of information, as its field declares it."""
        return self._value.category

    @property
    def owner(self) -> str | None:
        """The id of the person whose record it lies in."""
        return self._value.owner

    def judge_shown(self, place: str | None) -> None:
        """Judge that it may be shown; see `Aside.judge`."""
        self._aside.judge(self._value, place)

    def _reveal(self) -> str:
        return self._value._reveal()

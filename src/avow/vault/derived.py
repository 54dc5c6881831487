"""Deriving: one kind of information made out of another, as a sentence permits it.

    hashed = work.derive("account.password_hash", [form["password"]], hash_password)
    work.collect(Account, person=person, password=hashed, …)

What goes in is given to one function and to nobody else. What comes out is sealed; kept, it is judged as kept and not
as collected: nobody gave it. The value that it follows from was collected, or lies in a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from avow.errors import SealedError, SetupError
from avow.vault.sealed import Given, Sealed

if TYPE_CHECKING:
    from avow.vault.unit import Unit


@final
class Derived(Sealed):
    """A value that has just been derived. It lies in memory and in no record."""

    __slots__ = ("_category", "_owner", "_text")

    def __init__(self, category: str, text: str, owner: str | None) -> None:
        self._category = category
        self._text = text
        self._owner = owner

    @property
    def category(self) -> str:
        """The kind of information that was derived."""
        return self._category

    @property
    def owner(self) -> str | None:
        """The id of the person out of whose records it was derived; None if out of what was just given."""
        return self._owner

    def _reveal(self) -> str:
        return self._text


def derive(unit: Unit, category: str, sources: Sequence[Sealed], make: Callable[..., str]) -> Derived:
    """A value of `category` that `make` makes of the texts of `sources`, each judged as derived from.

    What was given in a form counts as collected by this. `make` must not keep or pass on the texts: they are watched
    at every exit, as what is opened is.

    Raises:
        Refused: no sentence permits it.
        SetupError: there is nothing to derive from.
        SealedError: the sources belong to several people.
    """
    if not sources:
        raise SetupError(f"there is nothing to derive `{category}` from")
    owners = {source.owner for source in sources}
    if len(owners) > 1:
        raise SealedError(f"`{category}` would be derived from several people's", help="derive from one person's")
    for source in sources:
        if isinstance(source, Given):
            unit.judge_given(source.category)
        unit.judge("derive", category, value=source, source=source.category, role=unit.role)
    texts = [source._reveal() for source in sources]
    for source, text in zip(sources, texts, strict=True):
        unit.watch(source, text)
    return Derived(category, make(*texts), owners.pop())

"""Values that may be used once: a card on its way to the processor.

They lie in memory only, in no record, and are handed over a single time. A second use, a copy, a
print or a store raises.
"""

from __future__ import annotations

from threading import Lock
from typing import NoReturn

from avow.errors import Refused, SealedError
from avow.values import Verdict
from avow.vault.current import current_unit
from avow.vault.sealed import Given


class Once:
    """A bundle of given values, by category, that can be taken a single time."""

    __slots__ = ("_categories", "_lock", "_name", "_values")

    def __init__(self, name: str, values: dict[str, Given]) -> None:
        self._name = name
        self._categories = tuple(values)
        self._values: dict[str, Given] | None = values
        self._lock = Lock()

    @property
    def name(self) -> str:
        """What the bundle is, for example `card`."""
        return self._name

    @property
    def categories(self) -> tuple[str, ...]:
        """The kinds of information inside, or that were inside before it was used."""
        return self._categories

    @property
    def used(self) -> bool:
        """Whether the values were taken."""
        return self._values is None

    def _take(self) -> dict[str, Given]:
        with self._lock:  # two threads must not both get it
            values, self._values = self._values, None
        if values is None:
            raise already_used(self._name)
        return values

    def __repr__(self) -> str:
        return f"<once {self._name}>"

    __str__ = __repr__

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise SealedError(f"{self!r} cannot be copied or pickled", help="use it where it is, once")

    def __copy__(self) -> NoReturn:
        self.__reduce_ex__(4)

    def __deepcopy__(self, _memo: object) -> NoReturn:
        self.__reduce_ex__(4)

    def __html__(self) -> NoReturn:
        unit = current_unit()
        for category in self._categories:
            unit.judge("show", category, audience=unit.audience(own=True), place=unit.place, role=unit.role)
        raise SealedError(f"{self!r} cannot be shown", help="show what the recipient sends back instead")


def already_used(name: str, verdict: Verdict | None = None) -> Refused:
    """The refusal of a second use; `verdict` permitted the first, and its sentence says that it was the only one."""
    said = "; ".join(f"“{sentence.text}” (#{sentence.anchor})" for sentence in verdict.sentences) if verdict else ""
    words = f"the {name} was used already: it serves once" + (f"\n  sentence: {said}" if said else "")
    return Refused(words, verdict, help="ask the person for it again")

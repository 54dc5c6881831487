"""Sealed values: personal information in memory that nobody reads by accident.

A sealed value has no text. `str`, `repr` and `format` say only which kind of information it is;
comparing, hashing, iterating, copying and pickling raise. Two things can be done with one: write it
into a template, where it becomes a marker that the door judges and fills in, and `open()` it, which
is judged, recorded, and watched at every exit of the unit.

    Sealed
    ├── Stored   lies in a record, encrypted; bound to that record, its owner and its field
    └── Given    has just arrived and lies in memory only; collecting it makes a Stored of it
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NoReturn, final

from sqlalchemy.orm.attributes import instance_state

from avow.errors import Refused, SealedError
from avow.vault.current import current_unit, unit_if_any
from avow.vault.envelope import Label, read_label

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from avow.vault.columns import Field
    from avow.vault.record import Person, Record


class Sealed:
    """A piece of personal information of one category. Shows nothing of itself."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # a hash would be an equality test

    @property
    def category(self) -> str:
        """The kind of information, by its name in the policy."""
        raise SealedError("a bare Sealed holds nothing")

    @property
    def owner(self) -> str | None:
        """The id of the person whose it is; None before it lies in a record."""
        return None

    @property
    def form(self) -> str | None:
        """As what it is shown, by a form of the policy; None for the thing as it is."""
        return None

    def open(self, purpose: str | None = None) -> str:
        """The text itself, when a sentence permits to open it for `purpose` (default: the unit's own).

        The opening is judged, entered in the ledger, and the text is watched at every exit.

        Raises:
            Refused: no sentence permits it here, one forbids it, or there is no unit of work.
        """
        return current_unit().open(self, purpose)

    def _reveal(self) -> str:
        """The text, unjudged: for the doors of Avow itself, which have judged already."""
        raise SealedError("a bare Sealed holds nothing")

    def _check_loaded(self, session: Session | None) -> None:
        """That it lies in a record, if in one, that the unit of `session` has loaded or made; see `Stored`."""

    def __html__(self) -> str:
        """What templates write: a marker, filled in at the door."""
        return current_unit().mark(self)

    def __repr__(self) -> str:
        return f"<sealed {self.category}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return True

    def _refuse(self, *_: object) -> NoReturn:
        raise SealedError(
            f"{self!r} cannot be compared, searched or measured",
            help="select by a lookup column, or open() it for a purpose that the policy permits",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __add__ = __radd__ = __mod__ = _refuse

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise SealedError(
            f"{self!r} cannot be copied or pickled",
            help="collect it into another record: that is a verdict and a new seal",
        )

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(4)

    def __copy__(self) -> NoReturn:
        self.__reduce_ex__(4)

    def __deepcopy__(self, _memo: object) -> NoReturn:
        self.__reduce_ex__(4)


@final
class Stored(Sealed):
    """A sealed value of a record: the envelope as it lies in the database, and the record it belongs to."""

    __slots__ = ("_envelope", "_field", "_record")

    def __init__(self, field: Field, envelope: bytes, record: Record | None = None) -> None:
        self._field = field
        self._envelope = envelope
        self._record = record

    @property
    def category(self) -> str:
        """The kind of information, as its field declares it."""
        return self._field.category

    @property
    def owner(self) -> str | None:
        """The id of the person whose record it lies in."""
        return None if self._record is None else self._record.owner_id

    @property
    def version(self) -> str:
        """The version of the policy under which it was collected, as its envelope says: 16 digits of a digest.

        Raises:
            SealedError: it is damaged.
        """
        envelope = self._envelope  # no more of the label than is asked for: this is read with every flow
        try:
            start = 2 + envelope[1]
            return envelope[start + 1 : start + 1 + envelope[start]].decode()
        except (IndexError, UnicodeDecodeError):
            return read_label(envelope).version  # says what is wrong with it

    @property
    def person(self) -> Person:
        """Whose record it lies in."""
        return self._bound().avow_person

    @property
    def hour(self) -> int:
        """When it was collected, in whole hours since 1970, as its envelope says; opening it shows whether it is."""
        return read_label(self._envelope).collected

    @property
    def day(self) -> date:
        """The day on which it was collected, in UTC; see `hour`."""
        return datetime.fromtimestamp(self.hour * 3600, UTC).date()

    def _reveal(self) -> str:
        return self._bound()._unsealed(self._field, self._envelope)

    def _check_loaded(self, session: Session | None) -> None:
        """Refuse a record that was kept from another unit: its owner may have been erased since.

        Raises:
            Refused: it was.
        """
        state = instance_state(self._bound())
        if not state.transient and (session is None or state.session is not session):
            raise Refused(
                f"{self!r} is of a record that another unit of work has loaded, or that is gone",
                help="select the record in this unit: what it told of may have been erased since",
            )

    def label(self) -> Label:
        """Where and when it was collected and under which version of the policy, as its seal says.

        Raises:
            SealedError: it was changed, or belongs to another person, record or field.
        """
        return self._bound()._seal().unseal(self._field.id, self._envelope)[0]

    def _hour(self) -> int:
        """The hour since 1970 in which it was collected, as its seal says."""
        return self._bound()._collected(self._field, self._envelope)

    def _bound(self) -> Record:
        if self._record is None:
            raise SealedError(
                f"{self!r} was selected without its record",
                help="select the class, not the column: the key comes with the record",
            )
        return self._record


@final
class Given(Sealed):
    """A value that has just arrived, for example in a form. It lies in memory and in no record."""

    __slots__ = ("_category", "_text", "_unit")

    def __init__(self, category: str, text: str) -> None:
        self._category = category
        self._text = text
        unit = unit_if_any()
        self._unit = None if unit is None else unit.nonce

    def given_in(self, unit: str) -> bool:
        """Whether it was given in the unit with this nonce: nobody else's unit may show it back."""
        return self._unit == unit

    @property
    def category(self) -> str:
        """The kind of information, as the form that it came in declares it."""
        return self._category

    def _reveal(self) -> str:
        return self._text

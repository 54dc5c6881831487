"""Forms: what a page asks for, declared field by field with the category it holds.

A handler never sees what was typed into a personal field: it gets a `Given`, to be collected into a
record or used once. A form that is not in order comes back filled, with the reason beside each field;
what was typed into a card field never comes back, and neither does a field in which a card turned up.

    class Checkout(Form):
        email = email("contact.email", "Your e-mail address")
        card_number = card_number("card.number", "Card number")
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Self

from avow.errors import SetupError
from avow.vault.sealed import Given, Sealed

#: Says what is wrong with a text, or None. It is given the text, stripped, and unix seconds.
Check = Callable[[str, float], str | None]

#: Looks for what must not be kept in free text: the words to show, or None.
Screen = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form as declared. `category` is None where it holds nothing personal."""

    category: str | None
    label: str
    maximum: int
    kind: str = "text"
    required: bool = True
    echo: bool = True
    hint: str = ""
    autocomplete: str = ""
    inputmode: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    check: Check | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class BoundField:
    """A field with what was typed and what is wrong with it: what templates read.

    `value` is a sealed value (a marker in a page) or, in fields that hold nothing personal, text.
    """

    spec: FormField
    value: Sealed | str
    error: str | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.spec, name)


class Form:
    """A form that was sent, or an empty one. Subclass it and declare fields."""

    declared: ClassVar[dict[str, FormField]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: replace(spec, name=name) for name, spec in vars(cls).items() if isinstance(spec, FormField)}
        cls.declared = {**cls.declared, **own}

    def __init__(
        self, typed: Mapping[str, str] | None = None, *, now: float = 0.0, screen: Screen = lambda text: None
    ) -> None:
        self._values: dict[str, Sealed | str] = {}
        self._errors: dict[str, str] = {}
        self._withheld: set[str] = set()
        self.sent = typed is not None
        for name, spec in self.declared.items():
            raw = (typed or {}).get(name, "")
            text = unicodedata.normalize("NFC", raw).strip()
            if self.sent:
                # First of all, and in a field of any kind: whatever else is wrong with it, a card is not sent back.
                seen = screen(text) if spec.echo else None
                if seen:
                    self._withheld.add(name)
                problem = seen or _problem(spec, text, now)
                if problem:
                    self._errors[name] = problem
            self._values[name] = Given(spec.category, text) if spec.category else text

    @classmethod
    def prefilled(cls, **values: Sealed | str | None) -> Self:
        """An empty form in which these fields are filled in, for instance with what a record holds."""
        form = cls()
        form._values.update({form._known(name): value for name, value in values.items() if value is not None})
        return form

    @property
    def valid(self) -> bool:
        """Whether every field is in order."""
        return self.sent and not self._errors

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong, by field."""
        return self._errors

    def fail(self, name: str, problem: str) -> None:
        """Say that a field is wrong for a reason that only the service knows."""
        self._errors[self._known(name)] = problem

    def __getitem__(self, name: str) -> Sealed | str | None:
        """What was given in a field; None where an optional field was left empty."""
        value = self._values[self._known(name)]
        empty = value == "" if isinstance(value, str) else value._reveal() == ""
        return None if empty else value

    def given(self, name: str) -> Sealed:
        """What was given in a personal field that was filled in.

        Raises:
            SetupError: the field holds nothing personal, or was left empty.
        """
        value = self[name]
        if not isinstance(value, Sealed):
            raise SetupError(f"nothing personal was given in `{name}`", help="ask `form[name]` where it may be empty")
        return value

    def field(self, name: str) -> BoundField:
        """A field for a template; what must not be echoed is empty."""
        spec = self.declared[self._known(name)]
        value = self[name] if spec.echo and name not in self._withheld else None
        return BoundField(spec, value if value is not None else "", self._errors.get(name))

    @property
    def fields(self) -> list[BoundField]:
        """All fields, in the order of their declaration."""
        return [self.field(name) for name in self.declared]

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self.fields)

    def bundle(self, prefix: str) -> dict[str, Given]:
        """The given values whose category lies under `prefix`, by category."""
        return {
            value.category: value
            for value in (self[name] for name in self.declared)
            if isinstance(value, Given) and value.category.startswith(prefix + ".")
        }

    def _known(self, name: str) -> str:
        if name not in self.declared:
            raise SetupError(
                f"`{type(self).__name__}` has no field `{name}`", help=f"it has {', '.join(self.declared)}"
            )
        return name


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000-\uf8ff\ud800-\udfff]")


def _problem(spec: FormField, text: str, now: float) -> str | None:
    if not text:
        return "Please fill this in." if spec.required else None
    if len(text) > spec.maximum:
        return f"This is too long: at most {spec.maximum} characters, you typed {len(text)}."
    if _CONTROL.search(text) or (spec.kind != "textarea" and ("\n" in text or "\r" in text)):
        return "This contains characters that cannot be used here."
    if spec.choices and text not in {key for key, _ in spec.choices}:
        return "Please choose one of the options."
    return spec.check(text, now) if spec.check else None


def text(category: str | None, label: str, *, maximum: int = 200, **options: Any) -> FormField:
    """One line of text."""
    return FormField(category, label, maximum, **options)


def paragraph(category: str | None, label: str, *, maximum: int = 2000, **options: Any) -> FormField:
    """Several lines of text."""
    return FormField(category, label, maximum, kind="textarea", **options)


def choice(category: str | None, label: str, choices: Mapping[str, str], **options: Any) -> FormField:
    """One of several, by key; the values are what is shown."""
    return FormField(category, label, 200, kind="choice", choices=tuple(choices.items()), **options)


def integer(label: str, *, least: int, most: int, **options: Any) -> FormField:
    """A whole number that says nothing of a person, such as a quantity."""

    def check(text: str, now: float) -> str | None:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            return f"Please give a whole number from {least} to {most}."
        return None

    return FormField(None, label, 9, kind="number", inputmode="numeric", check=check, **options)


def email(category: str, label: str, **options: Any) -> FormField:
    """A mail address (RFC 5321 length, syntax by email-validator; no look-up is made)."""

    def check(text: str, now: float) -> str | None:
        from email_validator import EmailNotValidError, validate_email

        try:
            validate_email(text, check_deliverability=False)
        except EmailNotValidError:
            return "This does not look like an e-mail address. It should look like name@example.org."
        return None

    options.setdefault("autocomplete", "email")
    return FormField(category, label, 254, kind="email", check=check, **options)


def password(category: str, label: str, *, least: int = 12, most: int = 128, **options: Any) -> FormField:
    """A password, by its length alone (NIST SP 800-63B-4 3.1.1.2: no rules of composition). Never echoed.

    `autocomplete` tells a password manager which one: `new-password`, else `current-password`. A `check` of one's own
    is asked after the length.
    """
    more: Check | None = options.pop("check", None)

    def check(text: str, now: float) -> str | None:
        if len(text) < least:
            return f"A password has at least {least} characters, you typed {len(text)}."
        return more(text, now) if more else None

    options.setdefault("autocomplete", "current-password")
    return FormField(category, label, most, kind="password", echo=False, check=check, **options)


def birth_date(category: str, label: str, **options: Any) -> FormField:
    """A date of birth, YYYY-MM-DD, for `ask_age`: not in the future (UTC), at most 130 years ago. Never echoed."""

    def check(text: str, now: float) -> str | None:
        today = datetime.fromtimestamp(now, UTC).date()
        try:
            born = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        except ValueError:
            born = None
        if born is None:
            return "Please write your date of birth as year, month and day, like 1990-04-29."
        if not today.year - 130 <= born.year or born > today:
            return "This date of birth cannot be right."
        return None

    options.setdefault("autocomplete", "bday")
    return FormField(category, label, 10, kind="date", echo=False, check=check, **options)


def card_number(category: str, label: str, **options: Any) -> FormField:
    """A card's number: 12 to 19 digits with a valid check digit (ISO/IEC 7812-1). Never echoed."""

    def check(text: str, now: float) -> str | None:
        from stdnum import luhn

        digits = re.sub(r"[ -]", "", text)
        if not re.fullmatch(r"[0-9]{12,19}", digits):
            return "A card number has 12 to 19 digits."
        return None if luhn.is_valid(digits) else "One digit of the card number seems to be wrong."

    return _card(FormField(category, label, 30, inputmode="numeric", check=check, **options), "cc-number")


def card_code(category: str, label: str, **options: Any) -> FormField:
    """A card's security code: three or four digits. Never echoed."""

    def check(text: str, now: float) -> str | None:
        return None if re.fullmatch(r"[0-9]{3,4}", text) else "The security code has three or four digits."

    return _card(FormField(category, label, 4, inputmode="numeric", check=check, **options), "cc-csc")


def card_expiry(category: str, label: str, **options: Any) -> FormField:
    """A card's expiry, MM/YY, not in the past (UTC). Never echoed."""

    def check(text: str, now: float) -> str | None:
        match = re.fullmatch(r"(0[1-9]|1[0-2]) ?/ ?([0-9]{2})", text)
        if not match:
            return "Please write the expiry as month and year, like 04/29."
        today = datetime.fromtimestamp(now, UTC)
        if (2000 + int(match[2]), int(match[1])) < (today.year, today.month):
            return "This card has expired."
        return None

    return _card(FormField(category, label, 7, check=check, **options), "cc-exp")


def _card(spec: FormField, autocomplete: str) -> FormField:
    return replace(spec, echo=False, autocomplete=spec.autocomplete or autocomplete)

"""Handing people over to another installation, and opening the package that they come in: `avow transfer`.

    site.leaving(Choice)     what of a record is bound to this installation, and how it goes
    site.arrived(Choice)     how it is brought in order where it comes

Each side gives the other its card. The receiver's card binds it to the sender's policy, which the sender's card names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avow.errors import SetupError, StoreError
from avow.keys.transfer import Card, TransferKeys
from avow.keys.transfer_stream import Package
from avow.language.syntax import Fact, atoms
from avow.site.work import Work
from avow.store.files import replace_durably
from avow.vault.backup import Progress
from avow.vault.transfer import Errand, Packed, pack, versions_of
from avow.vault.transfer_open import Taken, bind, take

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.language.rules import Rule
    from avow.site.opened import Opened
    from avow.vault.unit import Unit

Leaving = Callable[[Work, Any], Mapping[str, Any]]
Arrived = Callable[[Work, Any], None]


class Transfers:
    """What a site says of its records that move."""

    on_leaving: dict[type[Any], Leaving]
    on_arrived: dict[type[Any], Arrived]

    def leaving(self, record: type[Any]) -> Callable[[Leaving], Leaving]:
        """Declare how a record goes: a function of `work` and the record that gives plain columns as they are to go.

        What is a keyed hash of this installation means nothing elsewhere, and what is to be believed there has to be
        looked at here: the package is signed.
        """

        def declare(function: Leaving) -> Leaving:
            self.on_leaving[record] = function
            return function

        return declare

    def arrived(self, record: type[Any]) -> Callable[[Arrived], Arrived]:
        """Declare what brings a record in order that has come: called before it is written."""

        def declare(function: Arrived) -> Arrived:
            self.on_arrived[record] = function
            return function

        return declare


def write_card(opened: Opened, file: Path, bound_to: Path | None = None) -> Card:
    """Write the card of an installation into `file`, in place of an older one; it may bind itself to another's policy.

    Args:
        bound_to: the card of whose policy: to each version that it names.

    Raises:
        KeyringError: the keys or the other card cannot be used.
        StoreError: the file cannot be written.
    """
    keys = TransferKeys.of(opened.settings.data, opened.vault.tenant)
    bound = frozenset(Card.read(bound_to).versions) if bound_to is not None else frozenset()
    card = keys.card(opened.policy.site, versions_of(opened.vault), bound)
    try:
        replace_durably(file, keys.signed(card))
    except OSError as error:
        raise StoreError(f"the card `{file}` cannot be written: {error.strerror}") from None
    return card


def hand_over(
    opened: Opened,
    to: Path,
    file: Path,
    *,
    terms: Mapping[str, str | None] | None = None,
    without: tuple[str, ...] = (),
    people: frozenset[str] | None = None,
    progress: Progress = lambda done, total: None,
) -> Packed:
    """Pack people for the holder of the card `to` into a new `file`.

    Args:
        terms: recipient, purpose, role and channel; what is missing is that of the policy's rule about packages.

    Raises:
        Refused: the policy does not permit it; nothing was written.
        KeyringError, SetupError, StoreError: see `avow.vault.transfer.pack`.
    """
    keys, card = TransferKeys.of(opened.settings.data, opened.vault.tenant), Card.read(to)
    words = terms_of(opened.policy, terms or {})
    hooks = opened.site.on_leaving

    def leaving(unit: Unit, record: Any) -> Mapping[str, Any]:
        hook = hooks.get(type(record))
        return hook(Work(opened, unit), record) if hook else {}

    errand = Errand(words["recipient"], words["channel"], without, people, leaving)
    with opened.unit(words["role"], words["purpose"]) as unit:
        return pack(unit, keys, card, file, errand, progress)


def open_package(opened: Opened, file: Path, sender: Path, progress: Progress = lambda done, total: None) -> Taken:
    """Open the package in `file`, which the holder of the card `sender` has packed: all of it, or nothing.

    Raises:
        Refused, KeyringError, SetupError, StoreError: see `avow.vault.transfer_open.take`.
    """
    package = Package(file, TransferKeys.of(opened.settings.data, opened.vault.tenant), Card.read(sender))
    words, hooks = opened.policy.vocabulary.words, opened.site.on_arrived

    def arrived(unit: Unit, record: Any) -> None:
        hook = hooks.get(type(record))
        if hook:
            hook(Work(opened, unit), record)

    # It is nobody's errand of the policy: what may be kept is asked for each of its purposes.
    with opened.unit(next(iter(words["role"])), next(iter(words["purpose"]))) as unit:
        taken = take(unit, package, arrived, progress)
    bind(opened.vault)
    return taken


def terms_of(policy: Policy, given: Mapping[str, str | None]) -> dict[str, str]:
    """On which terms a package goes: as given, and else as the policy's rule has it that asks for `complete(package)`.

    Raises:
        SetupError: a term is neither given nor said by the policy.
    """
    rule = next((rule for rule in policy.rules if _lets_packages_go(rule)), None)
    said = {phrase.preposition: phrase.terms[0].name for phrase in rule.phrases if phrase.terms} if rule else {}
    found = {}
    for name, preposition in (("recipient", "with"), ("purpose", "for"), ("role", "by"), ("channel", "over")):
        word = given.get(name) or said.get(preposition)
        if word is None:
            raise SetupError(
                f"the policy does not say the {name} of a package of people",
                help="name it, or let a rule say it: may share … with RECIPIENT for PURPOSE over CHANNEL by ROLE when "
                "bound(RECIPIENT) and complete(package)",
            )
        found[name] = word
    if found["recipient"] not in policy.recipients:
        raise SetupError(
            f"the policy declares no recipient `{found['recipient']}`",
            help=f"it declares {', '.join(policy.recipients) or 'none'}",
        )
    return found


def _lets_packages_go(rule: Rule) -> bool:
    asks = () if rule.condition is None else (str(each) for each in atoms(rule.condition) if isinstance(each, Fact))
    return (rule.modal, rule.verb) == ("may", "share") and "complete(package)" in asks

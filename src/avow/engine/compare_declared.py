"""What two versions declare beside their rules: recipients, cookies, signatures, code, and words that were lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from avow.engine.clauses import OBJECT, RECIPIENT, SLOT
from avow.engine.compare_boxes import Side
from avow.engine.compare_result import Kind, Outcome
from avow.engine.compare_words import Words
from avow.language.frontmatter import Cookie, Recipient
from avow.language.predicates import Predicate, asked
from avow.language.syntax import Attested
from avow.language.vocabulary import BUILT_IN

_CHANNEL = SLOT["over"]


@dataclass(frozen=True, slots=True)
class Loosened:
    """Something declared that protects less. The flow is given by verb, object and dimensions in old and new words."""

    kind: Kind
    outcome: Outcome
    verb: str
    object: tuple[str, str]
    dimensions: tuple[tuple[str, str, str], ...]  # slot name, old word, new word
    summary: str
    before: str
    now: str
    anchor: str | None = None


def loosened(old: Side, new: Side, words: Words) -> Iterator[Loosened]:
    """Everything declared that protects less than it did."""
    yield from _recipients(old, new, words)
    yield from _cookies(old, new, words)
    yield from _signatures(old, new)
    yield from _predicates(old, new, words)
    yield from _lost_categories(old, words)


def _permitted(side: Side, verb: str, **words: str | None) -> bool:
    """Whether some `may` of the version admits these words."""
    slots = {"object": OBJECT, "recipient": RECIPIENT, "channel": _CHANNEL}
    bits = side.permits & side.index.by_verb[verb]
    for name, word in words.items():
        bits &= side.index.slots[verb][slots[name]][word]
    return bool(bits)


def _recipients(old: Side, new: Side, words: Words) -> Iterator[Loosened]:
    for before in old.policy.recipients.values():
        name = words.counterpart(before.name, ("recipient",))
        now = new.policy.recipients.get(name or "")
        if now is not None:
            yield from _fields(before, now, old, new, words)
            yield from _channels(before, now, new, words)
            if before.agreement and not now.agreement and _permitted(new, "share", recipient=now.name):
                yield _recipient(before, now, ("", ""), (), f"There is no agreement with {now.label} any more.",
                                 before.agreement, "no agreement")  # fmt: skip


def _fields(before: Recipient, now: Recipient, old: Side, new: Side, words: Words) -> Iterator[Loosened]:
    was = {
        words.counterpart(low, ("category",)) or low
        for wide in before.fields
        for low in old.policy.vocabulary.below("category", wide)
    }
    for wide in now.fields:
        for low in sorted(new.policy.vocabulary.below("category", wide), key=lambda word: (word != wide, word)):
            if low not in was and _permitted(new, "share", object=low, recipient=now.name):
                label = new.policy.vocabulary.label(low, "category")
                yield _recipient(before, now, (low, low), (), f"{label} is among what {now.label} receives.",
                                 f"fields of {before.label}: {_listed(before.fields)}",
                                 f"fields of {now.label}: {_listed(now.fields)}")  # fmt: skip
                break


def _channels(before: Recipient, now: Recipient, new: Side, words: Words) -> Iterator[Loosened]:
    was = {words.counterpart(name, ("channel",)) or name for name in before.channels}
    for channel in now.channels:
        if was and channel not in was and _permitted(new, "share", recipient=now.name, channel=channel):
            label = new.policy.vocabulary.label(channel, "channel")
            yield _recipient(before, now, ("", ""), (("channel", channel, channel),),
                             f"{now.label} is also reached over {label}.",
                             f"channels of {before.label}: {_listed(before.channels)}",
                             f"channels of {now.label}: {_listed(now.channels)}")  # fmt: skip


def _recipient(
    before: Recipient, now: Recipient, object: tuple[str, str], dimensions: tuple[tuple[str, str, str], ...],
    summary: str, was: str, is_now: str,
) -> Loosened:  # fmt: skip
    whom = ("recipient", before.name, now.name)
    return Loosened("recipient", "weaker", "share", object, (whom, *dimensions), summary, was, is_now)


def _cookies(old: Side, new: Side, words: Words) -> Iterator[Loosened]:
    for before in old.policy.cookies.values():
        full = words.counterpart(f"cookie.{before.name}", ("cookie",))
        now = new.policy.cookies.get((full or "").removeprefix("cookie."))
        if now is None or not _permitted(new, "set", object=full):
            continue
        spelled = f"cookie.{before.name}", f"cookie.{now.name}"
        if (now.seconds or 0) > (before.seconds or 0):
            yield Loosened("cookie", "weaker", "set", spelled, (), f"The cookie “{now.label}” lives longer.",
                           _lifetime(before), _lifetime(now))  # fmt: skip
        allowed = {
            words.counterpart(low, ("purpose",)) for low in old.policy.vocabulary.below("purpose", before.purpose)
        }
        if now.purpose not in allowed:
            label = new.policy.vocabulary.label(now.purpose, "purpose")
            old_label = old.policy.vocabulary.label(before.purpose, "purpose")
            yield Loosened("cookie", "new purpose", "set", spelled, (("purpose", now.purpose, now.purpose),),
                           f"The cookie “{now.label}” now serves: {label}.", f"purpose: {old_label}",
                           f"purpose: {label}")  # fmt: skip


def _signatures(old: Side, new: Side) -> Iterator[Loosened]:
    for anchor, before in old.policy.attested.items():
        now = new.policy.attested.get(anchor)
        if now is None:
            # Where a permission hung on the signature, the comparison of flows tells whether it still does.
            if not any(rule.modal == "may" for rule in old.policy.rules_of(anchor)):
                yield _signature(anchor, before, None, "Nobody vouches for this sentence any more.")
            continue
        if (now.every.seconds or 0) > (before.every.seconds or 0):
            yield _signature(anchor, before, now, "The signature under this sentence is renewed less often.")
        if not old.policy.vocabulary.covers("role", before.role.name, now.role.name):
            yield _signature(anchor, before, now, "Somebody else vouches for this sentence.")


def _signature(anchor: str, before: Attested, now: Attested | None, summary: str) -> Loosened:
    said = str(now) if now else "no signature"
    return Loosened("attestation", "weaker", "attest", (anchor, anchor), (), summary, str(before), said, anchor)


def _predicates(old: Side, new: Side, words: Words) -> Iterator[Loosened]:
    """Words that rules of both versions ask for and that other code answers now, or code where there was none.

    What the code of a word permits cannot be compared, only whether it is the same.
    """
    before, now = _asked(old), _asked(new)
    for name, anchors in before.items():
        other = words.counterpart(name, ("predicate",))
        if other is None or other not in now:
            continue
        was, is_now = old.policy.predicates.get(name), new.policy.predicates.get(other)
        if _identity(was) != _identity(is_now):
            deciding = list(dict.fromkeys([*anchors, *now[other]]))
            listed = ", ".join(f"#{anchor}" for anchor in deciding)
            what = "Other code answers" if was and is_now else "Code answers now" if is_now else "No code answers now"
            shared = next((anchor for anchor in deciding if anchor in anchors and anchor in now[other]), deciding[0])
            yield Loosened("predicate", "incomparable", "", (name, other), (),
                           f"{what} `{other}`, on which {listed} depend{'s' * (len(deciding) == 1)}.",
                           _code(was), _code(is_now), shared)  # fmt: skip


def _asked(side: Side) -> dict[str, list[str]]:
    """The predicates that rules of a version ask for, each with the anchors of those rules."""
    found: dict[str, list[str]] = {}
    for rule in side.policy.rules:
        for term, _ in asked(rule.statement):
            if term.name in side.policy.vocabulary.words["predicate"]:
                found.setdefault(term.name, []).append(rule.sentence.anchor)
    return found


def _identity(predicate: Predicate | None) -> tuple[str, str] | None:
    """What makes code the same: the text of its file and the function in it, wherever the file lies."""
    return (predicate.function, predicate.fingerprint) if predicate else None


def _code(predicate: Predicate | None) -> str:
    if predicate is None:
        return "the service answers it"
    return f"`{predicate.function}` in {predicate.file}, {predicate.fingerprint}"


def _lost_categories(old: Side, words: Words) -> Iterator[Loosened]:
    """Categories that the old version speaks of and the new one has no word for: data may be held under them."""
    vocabulary = old.policy.vocabulary
    for name in vocabulary.words["category"]:
        gone = words.counterpart(name, ("category",)) is None and name not in BUILT_IN["category"]
        if gone and not name.startswith("cookie."):
            verb = next(
                (
                    verb for verb, slots in old.index.slots.items()
                    if "category" in slots[OBJECT].kinds and verb != "use"
                    and slots[OBJECT][name] & old.index.by_verb[verb] & ~slots[OBJECT].free
                ),
                None,
            )  # fmt: skip
            if verb is not None:
                label = vocabulary.label(name, "category")
                yield Loosened("term", "incomparable", verb, (name, name), (),
                               f"The new version has no word for {label} (`{name}`), of which data may be held.",
                               f"`{name}` is a declared category",
                               f"`{name}` is not declared, nor under `renamed`")  # fmt: skip


def _lifetime(cookie: Cookie) -> str:
    return "until the browser closes" if cookie.seconds is None else f"lasts {spoken_seconds(cookie.seconds)}"


def spoken_seconds(seconds: float | None) -> str:
    """A length of time in words, in the largest unit that divides it: `30 days`."""
    if seconds is None:
        return "without limit"
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0 and seconds:
            count = seconds / size
            return f"{count:.12g} {unit}{'s' * (count != 1)}"
    return f"{seconds:.12g} second{'s' * (seconds != 1)}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"

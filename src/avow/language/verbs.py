"""The verbs: what kind of thing each moves, and which phrases it takes and needs.

From the table of the language reference. `may` and `never` take the verbs of FLOWS; `must` takes any verb.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from avow.values import DIMENSIONS

Kinds = tuple[str, ...]

#: Phrases about time. They limit or schedule; they are no dimension of a flow.
TIMING = ("before", "after", "within", "every")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a verb of a flow takes.

    `needs` lists groups of prepositions of which a `may` states at least one each. `takes` maps a preposition to
    the kinds of words that may follow it; a timing preposition maps to (). `spans` are the prepositions that may
    be followed by a length of time.
    """

    objects: Kinds
    needs: tuple[tuple[str, ...], ...] = ()
    takes: dict[str, Kinds] = field(default_factory=dict)
    spans: tuple[str, ...] = ()
    condition: bool = False

    @property
    def dimensions(self) -> frozenset[str]:
        """The prepositions that are dimensions of a flow with this verb."""
        return frozenset(p for p in self.takes if p in DIMENSIONS)


#: Every flow may say what it is for, about whom, where, and who does it: a role in the house, or a person herself.
_COMMON: dict[str, Kinds] = {
    "for": ("purpose",), "about": ("subject",), "at": ("place",), "by": ("role", "subject"),
}  # fmt: skip
_FORM: Kinds = ("form", "category")
_CATEGORY: Kinds = ("category",)
_ANYTHING: Kinds = ("thing", "category", "message", "place", "channel")


def _verb(objects: Kinds, *needs: tuple[str, ...], spans: tuple[str, ...] = (), condition: bool = False,
          **takes: Kinds) -> Signature:  # fmt: skip
    extra = {name.rstrip("_"): kinds for name, kinds in takes.items()}
    return Signature(objects, needs, _COMMON | extra | {span: extra.get(span, _COMMON.get(span, ())) for span in spans},
                     spans, condition)  # fmt: skip


FLOWS: dict[str, Signature] = {
    "collect": _verb(
        _CATEGORY, ("at",), from_=("subject", "recipient", "role"), over=("channel",), as_=_FORM, before=(), after=()
    ),
    "keep": _verb(_CATEGORY, spans=("within", "for"), as_=_FORM, before=(), after=()),
    "open": _verb(_CATEGORY, ("for", "by"), before=(), after=()),
    "show": _verb(("category", "form", "message", "thing"), ("at",), to=("subject", "role"), as_=_FORM,
                  over=("channel",)),
    "derive": _verb(_CATEGORY, ("for",), from_=_CATEGORY, as_=_FORM),
    "share": _verb(("category", "form", "subject"), ("with",), ("for",), with_=("recipient",), over=("channel",),
                   as_=_FORM, spans=("every",)),
    "send": _verb(("message",), ("to",), to=_CATEGORY, over=("channel",), spans=("every",)),
    "publish": _verb(_CATEGORY, ("at",), as_=_FORM),
    "set": _verb(("cookie",), ("for",), spans=("within",)),
    "log": _verb(_CATEGORY, ("at",), as_=_FORM, spans=("within",)),
    "record": _verb(_ANYTHING, ("by",), spans=("every",)),
    "control": _verb(_ANYTHING, ("by",)),
    "search": _verb(_ANYTHING, ("by",), in_=_ANYTHING),
    "change": _verb(_ANYTHING, ("by",)),
    "block": _verb(_ANYTHING, ("by",)),
    "hold": _verb(_ANYTHING, ("by",)),
    "review": _verb(_ANYTHING, ("by",)),
    "ask": _verb(_CATEGORY, ("at",)),
    "link": _verb(_CATEGORY, ("with",), with_=_CATEGORY, as_=_FORM),
    "destroy": _verb((*_CATEGORY, "subject", "thing"), spans=("within",), before=(), after=()),
    "erase": _verb((*_CATEGORY, "subject", "thing"), spans=("within",), before=(), after=()),
    "apply": _verb(("thing",), to=("subject",), condition=True),
    "start": _verb(_ANYTHING, ("by",)),
    "stop": _verb(_ANYTHING, ("by",)),
    "unlock": _verb(_ANYTHING, ("by",)),
    "use": _verb(_CATEGORY, ("for",), with_=("recipient",), over=("channel",), to=("subject", "role"), as_=_FORM),
}  # fmt: skip

#: What `use` stands for. A flow is never a `use`: it is one of these.
NEVER_USE = ("open", "show", "send", "share", "publish", "derive", "link", "log")
MAY_USE = ("open", "show", "derive")

#: The phrases of a `must … before V` that limit the flows it stops; the others say how the duty itself is done.
NARROWING = ("at", "for", "about", "with", "over", "from")

#: Verbs of duties beyond those of flows.
DUTIES = frozenset(FLOWS) | {
    "announce", "offer", "warn", "encrypt", "lock", "acknowledge", "attach", "accept", "notify", "mask",
    "verify", "return", "tell", "mark", "protect", "train", "sign",
}  # fmt: skip

#: What may follow any phrase of a duty.
ANY: Kinds = (
    "category", "cookie", "message", "recipient", "purpose", "subject", "role", "place", "channel", "form", "thing",
    "event",
)  # fmt: skip

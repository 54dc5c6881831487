"""Guards of the rows that hold at the level of the vault, on both kinds of store."""

from __future__ import annotations

from tests.mutation import Mutation

_VAULT, _OUTBOX = "src/avow/vault", "src/avow/outbox"

_CHILDREN = (
    *(
        Mutation(row, f"{_VAULT}/age.py", 'unit.facts["age"] = float(years)', 'unit.facts["age"] = 99.0', why)
        for row, why in (("G6", "a child passes for a grown-up"), ("N11", "a child passes for a grown-up"))
    ),
    *(
        Mutation(
            row, f"{_VAULT}/age.py", " - ((day.month, day.day) < (born.month, born.day))", "",
            "who turns old enough this year is let in before their birthday",
        )
        for row in ("G6", "N11")
    ),
    Mutation(
        "G6", f"{_VAULT}/keeping.py",
        'unit.judge("keep", value.category, subject=unit.vault.subject)  # a card in a note', "pass  # ",
        "a date of birth put into a note is refused without the sentence that forbids it",
    ),
    Mutation(
        "G6", "src/avow/site/background.py", "recall(vault) + carry_out(vault)", "carry_out(vault)",
        "helpers keep what they have of a child",
    ),
    Mutation(
        "G6", f"{_OUTBOX}/recalling.py", "owner=nobody.id", "owner=owner",
        "a helper that cannot be reached is not told any more once the child is erased",
    ),
    Mutation(
        "G6", f"{_OUTBOX}/recalling.py", '_NOTHING_LEFT = ("ready", "refused")', '_NOTHING_LEFT = ("none",)',
        "helpers are told of what they never got",
    ),
    Mutation(
        "G6", f"{_VAULT}/erasure.py", 'if outcome == "anonymise":', "if False:",
        "a child's words stay in the posts of those who quoted them",
    ),
)  # fmt: skip

_INDEX = (
    f"{_VAULT}/keeping.py", "setattr(record, field.name + INDEX_SUFFIX, field.blind(text))",
    "setattr(record, field.name + INDEX_SUFFIX, text.encode())", "what can be looked up lies readable in the database",
)  # fmt: skip

_SEALED = (
    *(Mutation(row, *_INDEX) for row in ("G4", "M7", "S6", "I17")),
    Mutation(
        "I17", f"{_VAULT}/blind.py", "hmac.new(secret, digestmod", 'hmac.new(b"", digestmod',
        "who knows an address finds its owner in a stolen database",
    ),
    Mutation(
        "S6", f"{_VAULT}/envelope.py", "self._aad + _measured(field.encode())", "self._aad",
        "a value that was put into another field opens there",
    ),
    Mutation(
        "S6", "src/avow/site/background.py", "        check_if_due(vault)\n", "",
        "nobody looks whether anything was altered",
    ),
    Mutation(
        "M6", f"{_VAULT}/keeping.py", 'unit.judge("keep", field.category, about=record, subject=whose)', "pass",
        "what may be taken is kept, the security code of a card too",
    ),
)  # fmt: skip

_OF_OTHERS = (
    *(
        Mutation(
            row, f"{_VAULT}/keeping.py", "unit.known(record.owner_id)", "unit.known()",
            "who is logged in changes what is somebody else's",
        )
        for row in ("G4", "G11", "N15")
    ),
    Mutation(
        "N15", f"{_VAULT}/removal.py", "unit.known(record.owner_id)", "unit.known()",
        "who is logged in removes what is somebody else's",
    ),
    Mutation(
        "N15", f"{_VAULT}/removal.py",
        'unit.judge("change", field.category, value=value, facts=facts, place=unit.place, role=unit.role)', "pass",
        "anybody removes anything",
    ),
)  # fmt: skip

_ENDS = (
    *(
        Mutation(
            row, f"{_VAULT}/unit.py",
            'self.judge("open", value.category, value=value, purpose=purpose, role=self.role, place=self.place)',
            "pass",
            "what was given for one end is opened for any other, by anybody",
        )
        for row in ("G5", "M5", "M8")
    ),
    Mutation(
        "G5", "sites/community/policy.md",
        "may send order_mail, ticket_mail to contact.email for service only over smtps",
        "may send order_mail, ticket_mail to contact for service",
        "what is written about an order goes anywhere, over any line",
    ),
    Mutation(
        "N15", f"{_VAULT}/unit.py", "return self.vault.subject if own else None", "return self.vault.subject",
        "a profile is shown to whoever asks for it",
    ),
    Mutation(
        "S6", f"{_VAULT}/record.py",
        "        _, plaintext = self._seal().unseal(field.id, sealed)\n",
        "        try:\n            _, plaintext = self._seal().unseal(field.id, sealed)\n"
        '        except SealedError:\n            plaintext = b""\n',
        "what does not open is taken for empty",
    ),
)  # fmt: skip

_GONE = (
    Mutation(
        "G11", f"{_VAULT}/correcting.py", "for other in _others(unit, record):", "for other in ():",
        "an old address is used on where it was copied to",
    ),
    *(
        Mutation(
            row, f"{_VAULT}/keeping.py",
            "        if field.blind is not None:",
            "        if field.blind and not getattr(record, field.name + INDEX_SUFFIX):",
            "somebody is still found by what they have corrected",
        )
        for row in ("G11", "N15")
    ),
    *(
        Mutation(
            row, f"{_VAULT}/vault.py", "former.clean_if_wanted(self) is not None", "False",
            "an old backup brings back what was changed or removed",
        )
        for row in ("G11", "N15")
    ),
    Mutation(
        "N15", f"{_VAULT}/former.py", "history.unchanged if whole else ()", "()",
        "an old backup brings back a record that was removed",
    ),
    Mutation(
        "G11", f"{_VAULT}/former.py", "        emptied |= dict.fromkeys(fields[name].columns)", "        pass",
        "somebody is found by an old value after a restore",
    ),
)  # fmt: skip

ROWS: tuple[Mutation, ...] = (*_CHILDREN, *_SEALED, *_OF_OTHERS, *_ENDS, *_GONE)

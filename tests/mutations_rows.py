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

ROWS: tuple[Mutation, ...] = (*_CHILDREN,)

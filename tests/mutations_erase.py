"""Guards around erasing for who has no account: who may ask for it, and what the asking gives away."""

from __future__ import annotations

from tests.mutation import Mutation

_SHOP = "sites/gourmet"

ERASE: tuple[Mutation, ...] = (
    Mutation(
        "I1", f"{_SHOP}/erase.py", 'return work.redirect("/erase?sent")',
        'return work.redirect("/erase?sent" if erasure.known_by(work, address) else "/erase")',
        "the page says who is known here",
    ),
    Mutation(
        "I1", f"{_SHOP}/erase.py", 'if not work.attempt("erase", address, free=1, wait=APART):', "if True:",
        "somebody's mailbox is filled with links",
    ),
    Mutation(
        "I1", f"{_SHOP}/erase.py", 'return f"erasure:{_edition(record, day)}"', 'return ""',
        "the link to an order tells what is held under its address",
    ),
    Mutation(
        "I1", f"{_SHOP}/erase.py", "(_today(work), _today(work) - 1)", "range(_today(work), _today(work) - 9, -1)",
        "a link in an old mail goes on",
    ),
    Mutation(
        "I1", f"{_SHOP}/erase.py", "(record.email_ix or b'').hex()[:24]", "''",
        "a link goes on when the address that it was mailed to has moved",
    ),
    Mutation(
        "I1", f"{_SHOP}/erase.py", "if order is not None and not erasure.has_account(work, order):",
        "if order is not None:", "whoever is shown an order ends the account that it was placed with",
    ),
    Mutation(
        "I1", f"{_SHOP}/erasure.py", " and not _has(work, record.owner_id, KINDS[:place])", "",
        "an address typed into an order ends the account that it was placed with",
    ),
)  # fmt: skip

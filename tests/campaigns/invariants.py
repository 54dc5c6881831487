"""The six invariants, checked on what a crash left, on what recovery made of it, and on who got what.

A `Crash` holds three snapshots of the installation (`warm.snapshot`): as the crash left it, recovered, and after the
customer has sent the same order again (and paid, where it was known to be unpaid).
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.ledger.trees import sha256, tree

#: Events that say how an attempt ended.
OUTCOMES = ("done", "declined", "failed", "unknown")

#: The peers, with the name that the ledger has for each.
LEDGER_NAME = {"processor": "processor", "ups": "ups", "mail": "confirmation"}


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the peers got: connections begun, by peer, then the ids of what arrived, in order."""

    connected: dict[str, int]
    payments: list[str]
    labels: list[str]
    mails: list[str]


@dataclass(frozen=True, slots=True)
class Crash:
    """One killed checkout. `customer` is what the browser had received; `said` what the processes wrote to stderr."""

    ticket: str
    typed: dict[str, str]
    customer: str
    facts: dict[str, Any]
    arrived: Arrivals
    finally_arrived: Arrivals
    said: str


def violations(crash: Crash) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    for stage in ("crash", "recovered", "final"):
        if "error" in crash.facts.get(stage, {"error": "never reached"}):
            return [f"{stage}: {crash.facts.get(stage, {}).get('error', 'never reached')} {crash.said[-2000:]}"]
    checks = (_disclosures, _keys, _checkpoints, _once, _outcomes)
    return [f"{check.__name__[1:]}: {found}" for check in checks for found in check(crash)]


def _mine(crash: Crash, snapshot: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The rows of a table that belong to the killed order."""
    owners = {order["customer"] for order in snapshot["orders"] if order["ticket"] == crash.ticket}
    return [row for row in snapshot[table] if row["owner"] in owners]


def _events(snapshot: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """How many entries, in the log or pending, by event, verb and object."""
    lines: Counter[tuple[str, str, str]] = Counter()
    for entry in (*snapshot["entries"], *snapshot["pending"]):
        for word in entry["object"].split(", "):
            lines[entry["event"], entry["verb"], word] += 1
    return lines


def _disclosures(crash: Crash) -> Iterator[str]:
    """1, 2 and the first half of 6: whatever arrived, and every socket that was opened, was durable before.

    The checkout before the killed one has left one entry of each kind, so there must be one more.
    """
    left = crash.facts["crash"]
    events = _events(left)
    for peer, name in LEDGER_NAME.items():
        attempts = sum(events["attempted", verb, name] for verb in ("share", "send"))
        if crash.arrived.connected.get(peer, 0) and attempts < 2:
            yield f"a socket to {peer} was opened, and the ledger has no attempt"
    known = {row["id"] for row in (*_mine(crash, left, "sends"), *_mine(crash, left, "exchanges"))}
    for arrived in (*crash.arrived.payments, *crash.arrived.labels, *map(_local_part, crash.arrived.mails)):
        if arrived not in known:
            yield f"{arrived} arrived, and nothing durable tells of it"
    if crash.typed["name"] in crash.customer and events["permitted", "show", "contact.name"] < 3:
        yield "the customer saw a page, and the ledger has no entry of what it showed"
    if "\n303 /order/" in crash.customer and not any(o["ticket"] == crash.ticket for o in left["orders"]):
        yield "the customer was told of an order that is not there"


def _keys(crash: Crash) -> Iterator[str]:
    """3: a person's key row exists exactly while the person is live, and opens what is theirs."""
    for stage in ("crash", "recovered", "final"):
        snapshot = crash.facts[stage]
        if set(snapshot["persons"]) != set(snapshot["owners"]):
            yield f"{stage}: persons and owners of records differ"
        if snapshot["integrity"] != "ok":
            yield f"{stage}: the database is damaged: {snapshot['integrity']}"
    opened = crash.facts["opened"]
    if isinstance(opened, dict):
        yield f"a value does not open: {opened['error']}"
    elif sum(order.get("name") == crash.typed["name"] for order in opened) != 2:
        yield "not both orders hold the name that was given"


def _checkpoints(crash: Crash) -> Iterator[str]:
    """4: no signed checkpoint is inconsistent with an earlier one: each is of a beginning of the final log."""
    final = crash.facts["final"]
    leaves = [bytes.fromhex(each) for each in final["leaves"]]
    sizes = []
    for stage in ("crash", "recovered", "final"):
        snapshot = crash.facts[stage]
        if snapshot["trouble"]:
            yield f"{stage}: the ledger does not verify: {snapshot['trouble']}"
        if final["leaves"][: len(snapshot["leaves"])] != snapshot["leaves"]:
            yield f"{stage}: the ledger is no prefix of the final one"
        size, root = signed(snapshot["kept"])
        sizes.append(size)
        if size > len(leaves) or root != root_of(leaves[:size]):
            yield f"{stage}: the checkpoint outside is none of the final ledger's"
    if sizes != sorted(sizes):
        yield f"the checkpoints outside shrink: {sizes}"
    if final["pending"]:
        yield f"{len(final['pending'])} entries were never integrated"


def _once(crash: Crash) -> Iterator[str]:
    """5: the same order sent again, and everything that recovery repeated, did nothing twice."""
    orders = [order for order in crash.facts["final"]["orders"] if order["ticket"] == crash.ticket]
    if [order["status"] for order in orders] != ["paid"]:
        yield f"in the end the orders are {[order['status'] for order in orders]}, not one that is paid"
    final = crash.finally_arrived
    if len(final.payments) != 1:
        yield f"the card was charged {len(final.payments)} times"
    if len(final.labels) != 1:
        yield f"the carrier stored {len(final.labels)} labels"
    if len(set(final.mails)) != 1:
        yield f"mails with {len(set(final.mails))} different Message-IDs were delivered"


def _outcomes(crash: Crash) -> Iterator[str]:
    """The second half of 6: each attempt is settled, and the ledger says how it ended."""
    recovered, final = crash.facts["recovered"], crash.facts["final"]
    for order in recovered["orders"]:
        if order["status"] not in ("paid", "unpaid", "declined"):
            yield f"recovered: an order stays {order['status']}, and nobody will ask"
    for snapshot, stage in ((recovered, "recovered"), (final, "final")):
        for row in (*snapshot["sends"], *snapshot["exchanges"]):
            if row["state"] not in ("done", "declined", "failed"):
                yield f"{stage}: {row.get('name') or row.get('recipient')} stays {row['state']}"
        events = _events(snapshot)
        for name in LEDGER_NAME.values():
            for verb in ("share", "send"):
                attempts = events["attempted", verb, name]
                ends = sum(events[event, verb, name] for event in OUTCOMES)
                if ends < attempts:
                    yield f"{stage}: the ledger has {attempts} attempts of {verb} {name}, and {ends} outcomes"


def signed(note: str) -> tuple[int, bytes]:
    """Size and root in the text of a checkpoint. Whether it is signed rightly is found by verifying the ledger."""
    _, size, root, *_ = note.splitlines()
    return int(size), b64decode(root)


def root_of(leaves: list[bytes]) -> bytes:
    """The root over entries, by the definition of RFC 6962."""
    return tree([sha256(b"\0" + leaf) for leaf in leaves])


def _local_part(message_id: str) -> str:
    return message_id.strip("<>").partition("@")[0]

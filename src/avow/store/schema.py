"""The tables that Avow keeps beside a service's own records.

A service's records and these tables share one MetaData, so that a foreign key can lead from a record
to the person whose it is. No column here holds personal information in the clear.

| table | one row is |
|---|---|
| avow_person | a person: the wrapped key, the policy version under which they came about |
| avow_standing | what a person did about a policy version, or what reached them: agreed, came back, got the mail … |
| avow_outbox | a send that waits, was attempted, or is over: ids only |
| avow_exchange | a conversation with a recipient that must not happen twice |
| avow_link | the keyed hash of a secret link, and what it leads to |
| avow_attempt | how often something was attempted that could be guessed: by a keyed hash of what was typed |
| avow_pending | a ledger entry written with its data and not yet in the log |
| avow_entry | an entry of the log, with the SHA-256 of its body |
| avow_tile | a tile of the log's tree: up to 256 hashes |
| avow_trace | what leads a person to one ledger entry about them, sealed under their key |
| avow_aside | what lay among the pending entries and was none: an entry tells its digest |
| avow_tally | how often a sentence did something on a day: counted from the entries |
| avow_attestation | a signature for what the software cannot see, by whom and until when |
| avow_tombstone | a person who was erased, by a keyed hash that only a restored backup or a receipt finds |
| avow_policy | a policy version that was in force here, or that people brought along from elsewhere |
| avow_transfer | a package of people that went to another installation, or came from one |
| avow_meta | facts about the installation |
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

#: Length of the hexadecimal ids that clients make (128 random bits).
ID_LENGTH = 32

#: A number that outgrows 32 bits. SQLite's own integers have 64, and only a column of that name is the key of its row.
_COUNT = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class Schema:
    """Avow's own tables within one MetaData."""

    metadata: MetaData
    person: Table
    standing: Table
    outbox: Table
    exchange: Table
    link: Table
    attempt: Table
    pending: Table
    entry: Table
    tile: Table
    trace: Table
    aside: Table
    tally: Table
    attestation: Table
    tombstone: Table
    policy: Table
    transfer: Table
    meta: Table


def declare(metadata: MetaData) -> Schema:
    """Add Avow's tables to `metadata` and return them."""

    def identifier(name: str = "id") -> Column[str]:
        return Column(name, String(ID_LENGTH), primary_key=True)

    def owner() -> Column[str]:
        return Column("owner", String(ID_LENGTH), ForeignKey("avow_person.id"), nullable=False, index=True)

    def record() -> tuple[Column[str], Column[str]]:
        return Column("record_table", Text, nullable=False), Column("record_id", String(ID_LENGTH), nullable=False)

    return Schema(
        metadata=metadata,
        person=Table(
            "avow_person",
            metadata,
            identifier(),
            Column("epoch", Integer, nullable=False),
            Column("wrapped", LargeBinary, nullable=False),
            Column("policy", String(64), nullable=False),
        ),
        standing=Table(
            "avow_standing",
            metadata,
            Column("owner", String(ID_LENGTH), ForeignKey("avow_person.id"), primary_key=True),
            Column("policy", String(64), ForeignKey("avow_policy.digest"), primary_key=True),
            Column("way", String(16), primary_key=True),
            Column("hour", Integer, nullable=False),
            Column("place", Text, nullable=False),  # as the policy calls it; empty for what came to them
            Column("seen", String(64), nullable=False),  # SHA-256 of the words agreed to; empty for all else
            Column("mark", LargeBinary, nullable=True),  # keyed hash of the row, without which it counts as none
        ),
        outbox=Table(
            "avow_outbox",
            metadata,
            identifier(),
            owner(),
            Column("kind", String(16), nullable=False),
            Column("name", Text, nullable=False),
            *record(),
            Column("role", Text, nullable=False),
            Column("purpose", Text, nullable=False),
            Column("state", String(16), nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("due", Float, nullable=False),
            Column("note", Text, nullable=False),
            Index("avow_outbox_due", "state", "due"),
        ),
        exchange=Table(
            "avow_exchange",
            metadata,
            identifier(),
            owner(),
            Column("recipient", Text, nullable=False),
            *record(),
            Column("role", Text, nullable=False),
            Column("purpose", Text, nullable=False),
            Column("state", String(16), nullable=False),
            Column("begun", Float, nullable=False),
            Column("due", Float, nullable=False),
            Index("avow_exchange_due", "state", "due"),
        ),
        link=Table(
            "avow_link",
            metadata,
            Column("token", LargeBinary, primary_key=True),
            owner(),
            *record(),
        ),
        attempt=Table(
            "avow_attempt",
            metadata,
            Column("token", LargeBinary, primary_key=True),
            Column("tries", Integer, nullable=False),
            Column("until", Float, nullable=False, index=True),
        ),
        # Clustered by its random id: it is drained in that order, and each row dirties one page.
        pending=Table(
            "avow_pending",
            metadata,
            identifier(),
            Column("body", LargeBinary, nullable=False),
            sqlite_with_rowid=False,
        ),
        entry=Table(
            "avow_entry",
            metadata,
            Column("number", _COUNT, primary_key=True, autoincrement=False),
            Column("body", LargeBinary, nullable=False),
            Column("commitment", LargeBinary, nullable=False),
            Index("avow_entry_commitment", "commitment"),
        ),
        tile=Table(
            "avow_tile",
            metadata,
            Column("level", Integer, primary_key=True, autoincrement=False),
            Column("number", _COUNT, primary_key=True, autoincrement=False),
            Column("hashes", LargeBinary, nullable=False),
        ),
        # Clustered by its key: what leads to the entries of one person lies together, and is one page to write.
        trace=Table(
            "avow_trace",
            metadata,
            Column("owner", String(ID_LENGTH), ForeignKey("avow_person.id"), primary_key=True),
            Column("id", String(ID_LENGTH), primary_key=True),
            Column("sealed", LargeBinary, nullable=False),
            sqlite_with_rowid=False,
        ),
        aside=Table(
            "avow_aside",
            metadata,
            Column("digest", String(64), primary_key=True),
            Column("body", LargeBinary, nullable=False),
        ),
        tally=Table(
            "avow_tally",
            metadata,
            Column("day", Integer, primary_key=True, autoincrement=False),
            *(Column(name, Text, primary_key=True) for name in ("anchor", "event", "verb")),
            *(Column(name, Text, primary_key=True) for name in ("purpose", "recipient", "role")),  # empty for none
            Column("times", Integer, nullable=False),
        ),
        attestation=Table(
            "avow_attestation",
            metadata,
            identifier(),
            Column("anchor", Text, nullable=False),
            Column("role", Text, nullable=False),
            Column("name", Text, nullable=False),  # of the member of staff
            Column("since", Integer, nullable=False),
            Column("until", Integer, nullable=False),
            Column("said", String(64), nullable=False),  # SHA-256 of the sentence
            Column("mark", LargeBinary, nullable=True),  # keyed hash of the row, without which it counts as none
        ),
        tombstone=Table(
            "avow_tombstone",
            metadata,
            Column("token", LargeBinary, primary_key=True),
            Column("epoch", Integer, nullable=False),
            Column("hour", Integer, nullable=False),
            Column("shredded", Integer, nullable=True),
        ),
        policy=Table(
            "avow_policy",
            metadata,
            Column("digest", String(64), primary_key=True),
            Column("version", Text, nullable=False),
            Column("effective", String(10), nullable=False),
            Column("source", Text, nullable=False),
            Column("since", Integer, nullable=False),
            Column("brought", Text, nullable=True),  # the site that it was in force at, where that is another
        ),
        transfer=Table(
            "avow_transfer",
            metadata,
            identifier(),
            Column("way", String(3), nullable=False),  # in or out
            Column("peer", String(ID_LENGTH), nullable=False),
            Column("serial", BigInteger, nullable=False),
            Column("hour", Integer, nullable=False),
            Column("people", Integer, nullable=False),
            Index("avow_transfer_peer", "peer", "way"),
        ),
        meta=Table(
            "avow_meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
        ),
    )

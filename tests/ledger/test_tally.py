"""The tally beside a ledger: whatever in it is not what the entries say is found, and named."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, update

from avow.errors import LedgerError
from avow.ledger.verify import verify

from .pending import SIGNER
from .touched import SIZE, Ledger, found_in


def test_a_tally_that_is_not_what_the_entries_say_is_found(full: Ledger) -> None:
    store, schema, _ = full
    with store.writing() as connection:
        connection.execute(update(schema.tally).where(schema.tally.c.anchor == "b").values(times=SIZE - 1))
    assert found_in(full).endswith(f"is {SIZE - 1}, and the entries say {SIZE}")
    with store.writing() as connection:
        connection.execute(delete(schema.tally).where(schema.tally.c.anchor == "b"))
    assert found_in(full).endswith(f"is 0, and the entries say {SIZE}")


@pytest.mark.parametrize(
    ("day", "times", "said"),
    [
        (20_780, 0, "`a` on 2026-11-23 (zap keep) is 0, in a row that was put in, and the entries say 0"),
        (20_780, -4, "is -4, and the entries say 0"),
        (-5, 9, "on day -5 (zap keep) is 9, and the entries say 0"),
        (2_932_897, 9, "on day 2932897 "),  # the first after 9999-12-31
        (2**31 - 1, 9, "on day 2147483647 "),
    ],
)
def test_a_row_of_the_tally_that_was_put_in_is_named(full: Ledger, day: int, times: int, said: str) -> None:
    store, schema, _ = full
    words = {"anchor": "a", "event": "zap", "verb": "keep", "purpose": "", "recipient": "", "role": ""}
    with store.writing() as connection:
        connection.execute(insert(schema.tally).values(day=day, times=times, **words))
    assert said in found_in(full)


@pytest.mark.parametrize(
    "row",
    ["'zz','a','zap','keep','','','',1", "x'00','a','zap','keep','','','',1", "1,'a','zap','keep','','','','3x'",
     "1,'a','zap','keep','','','',2.5", "1,x'61','zap','keep','','','',1", "4000000000000,'a','zap','keep','','','',1",
     "1,CAST(x'ff' AS TEXT),'zap','keep','','','',1"],
)  # fmt: skip
def test_a_row_of_the_tally_that_is_none_is_found(full: Ledger, row: str) -> None:
    """SQLite keeps whatever is put into a column; PostgreSQL takes none of these."""
    store, _, _ = full
    if store.dialect == "sqlite":
        with store.writing() as connection:
            connection.exec_driver_sql(f"INSERT INTO avow_tally VALUES ({row})")
        assert "the tally of " in found_in(full)


def test_a_tally_that_is_gone_is_told(full: Ledger) -> None:
    store, schema, sequencer = full
    with store.writing() as connection:
        schema.tally.drop(connection)
    with pytest.raises(LedgerError, match="there is no table `avow_tally`") as caught:
        verify(store, schema, sequencer.file, SIGNER.key)
    assert "avow ledger recount" in str(caught.value.help)

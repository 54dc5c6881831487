"""What a site declares about tables that were there before it, with plaintext in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avow.errors import SetupError
from avow.language.suggest import did_you_mean
from avow.vault.taking_over import TakeOver

if TYPE_CHECKING:
    from avow.engine import Policy


class Adopting:
    """The part of a `Site` on which old tables are declared."""

    policy: Policy
    taking_over: list[TakeOver]

    def take_over(
        self,
        record: type[Any],
        *,
        table: str,
        key: str,
        columns: Mapping[str, str],
        role: str,
        purpose: str,
        place: str,
        person: str | None = None,
        people: str = "",
        source: str | None = None,
        channel: str | None = None,
        facts: Mapping[str, bool | float | None] | None = None,
    ) -> TakeOver:
        """Declare that an old table holds in the clear what is to lie sealed in `record`; `avow seal` moves it.

        Args:
            table: the old table, in the same database.
            key: its column that tells its rows apart.
            columns: the old column of each attribute of the record. Personal ones are sealed and emptied there, plain
                ones are copied when the record is made.
            role, purpose, place: where it was collected and what for; the policy is asked about that as of any other
                collection. The place goes into the label of each value.
            person: its column with the number of the person whom a row is about. Rows with the same number, in
                whichever table, are of one person; a row without one is of a person of its own.
            people: whose numbering that is, where a site has several: customer 5 and supplier 5 are two people.
            source: who gave it, if not the person.
            channel: over what it came in.
            facts: what is known of all of it, as the service saw to it: `{"done(ask age)": True}`.

        Raises:
            SetupError: it does not fit the record or the policy. Whether it fits the database is seen by `avow seal`.
        """
        words = self.policy.vocabulary.words
        for kind, word in (("role", role), ("purpose", purpose), ("place", place)):
            if word not in words[kind]:
                raise SetupError(
                    f"`{table}` is taken over with the {kind} `{word}`, which the policy does not know",
                    help=did_you_mean(word, words[kind]) or f"it knows {', '.join(sorted(words[kind]))}",
                )
        declared = TakeOver(
            record, table, key, dict(columns), role, purpose, place, person, people, source, channel, dict(facts or {})
        )
        self.taking_over.append(declared)
        return declared

"""Guards of the vault around versions of the policy: what was collected under one stays under it."""

from __future__ import annotations

from tests.mutation import Mutation

_VAULT = "src/avow/vault"

OLDER: tuple[Mutation, ...] = (
    Mutation(
        "I13", f"{_VAULT}/older.py", "return value.version != self._current", "return False",
        "what was given before falls under a weaker version by itself",
    ),
    Mutation(
        "I13", f"{_VAULT}/older.py", 'known["weaker(version)"] = weaker', 'known["weaker(version)"] = False',
        "a weaker version counts as one that is not",
    ),
    Mutation(
        "I13", f"{_VAULT}/older.py", "not self.weaker(person.policy[:DIGITS])", "True",
        "agreeing to one version is agreeing to every later one",
    ),
    Mutation(
        "I13", f"{_VAULT}/keeping.py", "value=before, ", "", "what was given before is changed by the rule of today",
    ),
    Mutation(
        "I13", f"{_VAULT}/vault.py", "self.tasks += earlier_tasks(self.home, self.older.stricter())",
        "self.older.stricter()", "what was to be gone sooner is kept for as long as a later version keeps it",
    ),
    Mutation(
        "I13", f"{_VAULT}/envelope.py", "_measured(field.encode()) + _measured(head)", "_measured(field.encode())",
        "whoever writes the database moves a value under another version",
    ),
)  # fmt: skip

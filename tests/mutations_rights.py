"""Guards around what people see of what is held about them, take along, and take back."""

from __future__ import annotations

from tests.mutation import Mutation

_SHOP, _VAULT = "sites/gourmet", "src/avow/vault"

RIGHTS: tuple[Mutation, ...] = (
    Mutation(
        "I1", f"{_VAULT}/envelope.py", "        except InvalidTag:\n", '''        except InvalidTag:
            return _decode(head), b""\n''',
        "a row that was given to somebody else in the database is told to them as theirs",
    ),
    Mutation(
        "I1", f"{_VAULT}/holdings.py", "if unit.facts.get(fact) is not True:", "if False:",
        "what is held is told though nobody has shown who they are",
    ),
    Mutation(
        "I1", f"{_VAULT}/my_log.py", "if unit.viewer not in people:", "if False:",
        "what happened to somebody is told to another who has shown who they are",
    ),
    Mutation(
        "I1", f"{_VAULT}/my_log.py",
        "sought = {trace.commitment: trace.pending for trace in mine if trace.commitment.hex() == commitment}",
        'sought = {bytes.fromhex(commitment): "" for _ in mine}',
        "whoever knows what the public log has of an entry is told what it says, though it is about others",
    ),
    Mutation(
        "I1", f"{_VAULT}/holdings.py", "if verdict.permitted:", "if True:",
        "what no sentence lets them see is not kept closed",
    ),
    Mutation(
        "I1", f"{_VAULT}/aside.py", 'return unit.verdict("show", category, self._facts, value,',
        'return unit.verdict("show", category, self._facts, None,',
        "what an earlier version keeps closed is told as what may be shown",
    ),
    Mutation(
        "I1", f"{_VAULT}/holdings.py", "if not of_them:", "if False:",
        "the owner of a record is told what tells of somebody else",
    ),
    Mutation(
        "I1", f"{_VAULT}/sealed.py", "return self._bound()._seal().unseal(self._field.id, self._envelope)[0]",
        "return read_label(self._envelope)", "a label that was changed in the database is told as it stands",
    ),
    Mutation(
        "I1", "src/avow/edge/export.py", "return without_marks(content)", "return content",
        "a mark in a plain column is taken for a value",
    ),
    Mutation(
        "I1", f"{_VAULT}/removal.py",
        'unit.judge("change", field.category, value=value, facts=facts, place=unit.place, role=unit.role)', "pass",
        "a record is removed though no sentence lets it be changed",
    ),
    Mutation(
        "I1", f"{_SHOP}/data.py", "if erasure.has_account(work, order):", "if False:",
        "the link to an order opens all that is held with the account",
    ),
    Mutation(
        "I1", f"{_SHOP}/held.py", "work.select(Request, Request.email == account.email)", "work.select(Request)",
        "somebody takes back another's question",
    ),
)  # fmt: skip

"""Holes in Avow itself: guards taken away, each with the probe that has to find it.

Every one is of another kind. They are planted in front of a stand-in of the policy of the cellar (`cellar.md`).
"""

from __future__ import annotations

from tests.probing.planting import Hole

_DECIDE, _CLAUSES, _POLICY = "avow.engine.decide", "avow.engine.clauses:_Maker", "avow.engine.policy:Policy"
_UNIT, _KEEPING, _SEALED = "avow.vault.unit:Unit", "avow.vault.keeping", "avow.vault.sealed:Sealed"

RULES = (
    Hole(
        "another policy runs than the one in the file", f"{_POLICY}.load", "read_file(Path(path))[1],",
        'read_file(Path(path))[1].replace("never share personal otherwise", "never share visit otherwise"),',
        "decisions", "decision.reason", "nobody-else",
    ),
    Hole(
        "a rule is loosened when it is loaded", f"{_POLICY}.load", "read_file(Path(path))[1],",
        'read_file(Path(path))[1].replace(" unless fetched(order)", ""),', "decisions", "decision.permitted",
        "nobody-else",
    ),
    Hole(
        "prohibitions are dropped", f"{_DECIDE}:Decider._sets", 'forbids = matched & effects["forbid"]', "forbids = 0",
        "decisions", "decision.permitted",
    ),
    Hole(
        "a prohibition with a condition is dropped", f"{_DECIDE}:Matched.judge",
        "if not is_false(facts):\n            forbids |= bit", "if False:\n            forbids |= bit",
        "decisions", "decision.permitted",
    ),
    Hole(
        "the condition of a permission is not asked", f"{_DECIDE}:Matched.judge", "if is_true(facts):", "if True:",
        "decisions", "decision.permitted",
    ),
    Hole(
        "an exception takes everything out", f"{_DECIDE}:Decider._without_exceptions", "if all(", "if True or all(",
        "decisions", "decision.permitted", "no-advertising",
    ),
    Hole(
        "lists are not closed", f"{_DECIDE}:Decider._sets", 'closes = matched & effects["close"]', "closes = 0",
        "decisions", "decision.reason",
    ),
    Hole(
        "duties are forgotten", f"{_DECIDE}:Matched._permission", "for clause in self._members(duties)",
        "for clause in self._members(0)", "decisions", "decision.duty",
    ),
    Hole(
        "an answer from memory does not ask for the facts", f"{_POLICY}.judge", "found.judge(facts)",
        "found.judge(NO_FACTS)", "decisions", "decision.refused",
    ),
    Hole(
        "answers for one purpose count for all", f"{_POLICY}.judge", "found = self._memory.get(flow)",
        "key = (*flow[:6], None, *flow[7:])\n    found = self._memory.get(key)\n"
        "    if found is None:\n        found = self._memory[key] = self._decider.decide(flow)", "decisions",
        "decision.permitted",
    ),
    Hole(
        "a word does not stand for those below it", f"{_CLAUSES}._refs",
        "refs.update((ref[0], name) for name in self._words.below(*ref))", "pass", "decisions", "decision.refused",
    ),
    Hole(
        "`only` means nothing", f"{_CLAUSES}._implied", "if phrase.only:", "if False:", "decisions", "decision.reason",
        "cart",
    ),
    Hole(
        "a gate stands open", f"{_CLAUSES}._duties", 'if duty.timing == "before":', "if False:",
        "decisions", "decision.permitted", "age",
    ),
    Hole(
        "`unless` is read as `when`", f"{_CLAUSES}._conditions", 'if rule.guard.word == "when" else', "if True else",
        "decisions", "decision.refused",
    ),
    Hole(
        "no verdict reaches the ledger", f"{_UNIT}.judge",
        'lines.add("permitted", verb, object, purpose, recipient, verdict, self._desk, whom, kept)', "pass",
        "decisions", "ledger.decision",
    ),
    Hole(
        "no refusal reaches the ledger", f"{_UNIT}.judge",
        "self._refusals.add(", "(lambda *_, **__: None)(",
        "decisions", "ledger.decision",
    ),
)  # fmt: skip

KEEPING = (
    Hole(
        "a refusal stops nothing", f"{_UNIT}.judge", "raise refused(verb, object, verdict)", "return verdict",
        "keeping", "keep.collect",
    ),
    Hole(
        "an opening is undone with its unit", f"{_UNIT}.judge", 'self._openings if verb == "open" else self._lines',
        "self._lines", "keeping", "ledger.open",
    ),
    Hole(
        "whatever is sealed is opened", f"{_UNIT}.open",
        'self.judge("open", value.category, value=value, purpose=purpose, role=self.role, place=self.place)', "pass",
        "keeping", "open",
    ),
    Hole(
        "it is not asked whether something may be collected", f"{_KEEPING}:_write",
        "if not isinstance(value, Derived):", "if False:", "keeping", "keep.collect",
    ),
    Hole(
        "it is not asked whether something may be kept", f"{_KEEPING}:_write",
        'unit.judge("keep", field.category, about=record, subject=whose)', "pass", "keeping", "keep.collect", "no-card",
    ),
    Hole(
        "a card number in free text is stored", f"{_KEEPING}:inspect_text", "for inspector in unit.vault.inspectors:",
        "for inspector in ():", "keeping", "keep.card", "no-card",
    ),
    Hole(
        "anything may be changed", f"{_KEEPING}:update", "if name in fields and", "if False and",
        "keeping", "keep.change",
    ),
    Hole(
        "anything is derived from anything", "avow.vault.derived:derive",
        'unit.judge("derive", category, value=source, source=source.category, role=unit.role)', "pass",
        "keeping", "keep.derive",
    ),
    Hole(
        "a refused record is stored all the same", f"{_KEEPING}:collect",
        "_write(unit, made, given, source, at or unit.place)\n    unit.db.add(made)",
        "unit.db.add(made)\n    unit.db.flush()\n    unit.db.commit()\n"
        "    _write(unit, made, given, source, at or unit.place)", "keeping", "keep.all_or_nothing",
    ),
    Hole(
        "a sealed value prints its text", f"{_SEALED}.__repr__", 'return f"<sealed {self.category}>"',
        "return self._reveal()", "keeping", "seal.unasked",
    ),
    Hole(
        "sealed values are pickled", f"{_SEALED}.__reduce_ex__", "raise SealedError(", "SealedError(", "keeping",
        "seal.unasked",
    ),
    Hole(
        "sealed values are compared", f"{_SEALED}._refuse", "raise SealedError(", "SealedError(",
        "keeping", "seal.unasked",
    ),
    Hole(
        "sealed columns are sorted", "avow.vault.columns:_NoSorting.visit_column", "if sorting and", "if False and",
        "keeping", "seal.unasked",
    ),
)  # fmt: skip

SHOWING = (
    Hole(
        "whatever is marked is shown", f"{_UNIT}.show", "for number in dict.fromkeys(numbers):", "for number in ():",
        "showing", "page.stranger", "see",
    ),
    Hole(
        "whoever looks counts as the customer", f"{_UNIT}.audience", "return self.vault.subject if own else None",
        "return self.vault.subject", "showing", "page.stranger",
    ),
    Hole(
        "whatever lies there counts as one's own", f"{_UNIT}.is_own",
        "return value.owner is not None and value.owner == self.viewer", "return True", "showing", "page.other",
    ),
)  # fmt: skip

_BACKUP, _ERASURE = "avow.vault.backup", "avow.vault.erasure"

REST = (
    Hole(
        "a seal is not bound to its column", "avow.vault.envelope:RecordSeal._bound",
        "self._aad + _measured(field.encode())", "self._aad", "resting", "rest.moved", "sealed",
    ),
    Hole(
        "values lie in the clear beside their seals", "avow.vault.envelope:RecordSeal.seal", "head = _encode(label)",
        "head = _encode(label._replace(place=plaintext.decode()))", "resting", "rest.sealed", "sealed",
    ),
    Hole(
        "an index is a plain digest", "avow.vault.blind:BlindIndex.of", "return code.digest()",
        "return hashlib.sha256(text).digest()", "resting", "rest.index", "sealed",
    ),
    Hole(
        "a key lies in the database", "avow.vault.vault:Vault.prepare",
        'connection.execute(schema.meta.insert().values(name="tenant", value=self.tenant))',
        'connection.execute(schema.meta.insert().values(name="tenant", value=self.tenant)); connection.execute('
        'schema.meta.insert().values(name="blind", value=self.keyring.secret("blind").hex()))',
        "resting", "rest.keys", "sealed",
    ),
    Hole(
        "others may read the folder of the keys", "avow.site.opened:_make_folder", "mode=0o700", "mode=0o755",
        "resting", "rest.modes",
    ),
    Hole(
        "a backup holds people's keys", f"{_BACKUP}:_write_tables",
        'if (table.name, c.name) != ("avow_person", "wrapped")', "", "resting", "backup.keys",
    ),
    Hole(
        "an erased person's row stays", f"{_ERASURE}:remove",
        "db.execute(delete(schema.person).where(schema.person.c.id == identity))", "pass",
        "resting", "erase", "erased",
    ),
    Hole(
        "an erasure is not noted in the ledger", f"{_ERASURE}:erase",
        'vault.note(db.connection(), "done", "erase", vault.subject, duties_to_erase(vault))', "pass",
        "resting", "ledger.erase", "erased",
    ),
    Hole(
        "a receipt of an erasure is worth nothing", f"{_ERASURE}:_bury", "for found in tombstones:", "for found in ():",
        "resting", "erase.receipt", "erased",
    ),
    Hole(
        "an old backup brings people back", f"{_ERASURE}:replay", "if not missing:", "if True:",
        "resting", "restore", "erased",
    ),
    Hole(
        "a ledger that was cut off verifies", "avow.ledger.verify:verify",
        "found.end(edge)\n        found.once()\n        if tallied:\n            "
        "tally.check(connection, schema, found.counted)\n        journal.finish(edge.size, kept.size if kept else 0)",
        "pass",
        "resting", "ledger.tampering",
    ),
)  # fmt: skip

"""Guards around people who go to another installation, and come from one."""

from __future__ import annotations

from tests.mutation import Mutation

_VAULT, _STREAM = "src/avow/vault", "src/avow/keys/transfer_stream.py"
_PACK, _OPEN, _LAYOUT = f"{_VAULT}/transfer.py", f"{_VAULT}/transfer_open.py", f"{_VAULT}/transfer_layout.py"

TRANSFER: tuple[Mutation, ...] = (
    Mutation(
        "I10", _PACK, "not self._unbound, ", "True, ", "who has not bound themselves to the policy gets the package",
    ),
    Mutation("I10", _PACK, "not self._missing}", "True}", "people go without what they want and do not want"),
    Mutation("I10", _PACK, "if not verdict.permitted:", "if False:", "nobody asks whether a value may go there"),
    Mutation(
        "I10", _PACK, "unit.known(), value, **whom)", "unit.known(), None, **whom)",
        "what came under an earlier version goes by the one in force",
    ),
    Mutation(
        "I10", _PACK, "        if not any(unit.vault", "        if False and not any(unit.vault",
        "more goes than the policy lists for who takes over",
    ),
    Mutation(
        "I10", _LAYOUT, "for kind in home.records if not kind.__stays__}\n    for name in without:",
        "for kind in home.records}\n    for name in without:", "browsers go along with those who used them",
    ),
    Mutation(
        "I10", _LAYOUT, "        if name not in shapes\n", "        if False\n", "a package without choices is opened",
    ),
    Mutation(
        "I10", _STREAM,
        "except InvalidSignature:\n            self._damaged(", "except InvalidSignature:\n            str(",
        "anybody signs for the sender",
    ),
    Mutation(
        "I10", _STREAM, 'if (words["sender"], words["verify"]) != (sender.tenant, sender.verify.hex()):', "if False:",
        "a package of somebody else is taken for one of the sender named",
    ),
    Mutation(
        "I10", _STREAM,
        'if (words["receiver"], words["receive"]) != (keys.tenant, keys.public.public_bytes_raw().hex()):',
        "if False:", "nobody says that a package is for somebody else",
    ),
    Mutation(
        "I10", _STREAM, "return number.to_bytes(11, \"big\") + bytes([last])", "return bytes(11) + bytes([last])",
        "chunks of a package are left out, repeated and put in another order",
    ),
    Mutation(
        "I10", _STREAM, "                if file.read(1):\n", "                if False:\n",
        "a package goes on behind its end",
    ),
    Mutation(
        "I10", _OPEN, 'if (len(self._people), dict(self._counts)) != (self._said["people"], said):', "if False:",
        "a package that lacks records is opened",
    ),
    Mutation(
        "I10", _OPEN, 'if seen[-1:] != ["end"]:', "if False:", "a package without an end is opened",
    ),
    Mutation(
        "I10", _OPEN, "or _ORDER.index(kind) <= max(map(_ORDER.index, seen), default=-1):", "or False:",
        "what a package holds comes in any order",
    ),
    Mutation(
        "I10", _OPEN, "            if version not in self._labels:\n", "            if False:\n",
        "a value comes under a version that nobody knows",
    ),
    Mutation(
        "I10", _OPEN,
        "        if digest not in self._versions:\n            self._no_version(digest)\n        return digest",
        "        return digest", "people and records come under a version that nobody knows",
    ),
    Mutation(
        "I10", _OPEN,
        "            if digest not in self._versions:\n                self._no_version(digest)\n",
        "            pass\n",
        "a package without the policy that it names is opened",
    ),
    Mutation(
        "I10", _OPEN, '    check_text(line["version"], line["digest"], line["source"])\n', "",
        "another text comes under the digest of a policy",
    ),
    Mutation(
        "I10", _OPEN, "bytes.fromhex(one) in self._people for one", "True for one",
        "records are added to people who are here already",
    ),
    Mutation(
        "I10", _OPEN, 'if not (values.keys() <= shape["fields"].keys() and cells.keys() <= shape["plain"].keys()):',
        "if False:", "a record has more than the manifest says",
    ),
    Mutation(
        "I10", _OPEN, "            unit.judge(\"keep\", category, subject=whose)\n        return",
        "            self._kept[category] = verdict\n        return", "what nobody here may keep is kept",
    ),
    Mutation("I10", _OPEN, "            inspect_text(self._unit, text)\n", "", "a card number comes in a note"),
    Mutation(
        "I10", _OPEN, "if max(self._unit.db.scalars(came), default=-1) >= head.serial:", "if False:",
        "an older package undoes objections",
    ),
    Mutation(
        "I10", _OPEN, "table.c.id == head.id)) is not None:", "table.c.id == head.id)) == -1:",
        "a package is opened twice",
    ),
    Mutation(
        "I10", _OPEN, "where(person.id.in_(ids))):", "where(person.id.in_(ids), person.id == \"\")):",
        "nobody says that somebody is here already",
    ),
    Mutation(
        "I10", _OPEN, "where(tombstone.token.in_(tokens))):", "where(tombstone.token.in_(()))):",
        "who was erased comes back",
    ),
    Mutation(
        "I10", _OPEN, "Label(category, version, place, hour)",
        "Label(category, self._vault.policy.digest[:DIGITS], place, hour)",
        "what comes is under the policy of who takes it",
    ),
    Mutation(
        "I10", _OPEN, "    vault.tasks = [*tasks(", "    _ = [*tasks(",
        "what was to be gone sooner stays until the service is started again",
    ),
    Mutation(
        "I10", _OPEN, "                policy=self._version(policy),\n",
        "                policy=self._vault.policy.digest,\n",
        "what comes is kept for as long as who takes it over keeps it",
    ),
    Mutation(
        "I10", _OPEN,
        "                **{name: decoder_of(columns[name])(cell) for name, cell in cells.items()},\n", "",
        "the day on which somebody asked to be erased is lost on the way",
    ),
    Mutation(
        "I10", _PACK, "layout.plain} | dict(self._errand.leaving(self._unit, record))", "layout.plain}",
        "what this installation did not write goes as if it had",
    ),
    Mutation(
        "I10", f"{_VAULT}/standing.py", "table.owner.in_(people), table.policy.not_in(elsewhere)",
        "table.owner.in_(people)", "who agreed to a version there counts as having agreed here",
    ),
    Mutation(
        "I10", "sites/gourmet/choice.py", 'choice.state if genuine(work, choice) else "no"', "choice.state",
        "who can write rows gives a consent that counts elsewhere",
    ),
)  # fmt: skip

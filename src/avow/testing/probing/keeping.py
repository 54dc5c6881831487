"""Keeping and opening: what people give is collected, changed, opened and derived from, as rules say and beside.

Each is done as a service does it, through `work`, in a role, for a purpose, at a place, over a channel; what the policy
says of just that is asked of the second interpreter. What is refused must leave nothing in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from avow.errors import AvowError, Refused, SealedError
from avow.testing.canaries import card_number
from avow.testing.probing.attempts import Attempt
from avow.testing.probing.bench import Bench, told
from avow.vault.applying import KNOWN_HERE

_COLLECT, _OPEN = "work.collect (avow.vault.keeping)", "Sealed.open (avow.vault.unit)"


def probe(bench: Bench) -> None:
    """Collect, change, open and derive."""
    for flow in _few(bench, "collect", "keep"):
        _collect(bench, flow)
    for flow in _few(bench, "open"):
        if flow.flow["object"] in bench.standin.columns:
            _open(bench, flow)
    for flow in _few(bench, "change"):
        if flow.flow["object"] in bench.standin.columns:
            _change(bench, flow)
    for flow in _few(bench, "derive"):
        _derive(bench, flow)
    _unasked(bench)
    _undeclared_card(bench)


def attempts_of(bench: Bench, *verbs: str) -> Iterator[Attempt]:
    """The attempts with these verbs, of all rules in turns."""
    waiting = [iter(list(bench.deriving.attempts(rule))) for rule in bench.deriving.rules]
    while waiting:
        for each in list(waiting):
            found = next(each, None)
            if found is None:
                waiting.remove(each)
            elif found.flow["verb"] in verbs:
                yield found


def supplied(bench: Bench, facts: Mapping[str, bool | float | None]) -> dict[str, bool | float | None]:
    """The facts that a unit may be given: not those that the vault or a function of the policy knows by itself.

    Signatures are given and withdrawn as the facts want them.
    """
    bench.attest(facts)
    answered = {*bench.standin.site.policy.predicates, "attested"}
    return {
        name: fact for name, fact in facts.items() if name not in KNOWN_HERE and name.partition("(")[0] not in answered
    }


def _few(bench: Bench, *verbs: str) -> list[Attempt]:
    """As many attempts as there is room for, half of them of what is permitted, as far as there are so many."""
    permitted: list[Attempt] = []
    refused: list[Attempt] = []
    for attempt in attempts_of(bench, *verbs):
        side = permitted if bench.slow.decide(attempt.flow, attempt.facts).permitted else refused
        if len(side) < bench.most:
            side.append(attempt)
        if len(permitted) == len(refused) == bench.most:
            break
    return permitted + refused


def stand(bench: Bench, attempt: Attempt) -> tuple[str, str, str | None]:
    """Role, purpose and place in which an attempt is made: as its flow says them, or the first of the policy."""
    words = bench.reading.front.vocabulary.words
    role, purpose, _ = bench.some
    said = attempt.flow.get("by")
    return said if said in words["role"] else role, attempt.flow.get("for", purpose), attempt.flow.get("at")


def _collect(bench: Bench, attempt: Attempt) -> None:
    category = attempt.flow["object"]
    if category not in bench.standin.columns:
        return
    role, purpose, place = stand(bench, attempt)
    subject, source = bench.standin.names.subject, attempt.flow.get("from")
    channel, facts = attempt.flow.get("over"), supplied(bench, attempt.facts)
    where: dict[str, str | None] = {"purpose": purpose, "role": role, "place": place, "channel": channel}
    flow = {"source": source or subject, "subject": subject, **where}
    collected = bench.asked("collect", category, facts, **flow)
    kept = bench.asked("keep", category, facts, subject=subject, purpose=purpose)
    answer = kept if collected.permitted else collected
    if answer.permitted and (bench.duties_in_unit(collected) or bench.duties_in_unit(kept)):
        return
    bench.report.tried("keep.collect")
    before = _rows(bench)
    refused: Refused | None = None
    text = "Zoë <Probe>" if category != bench.standin.names.address else "zoe@probe.example"
    try:
        with bench.standin.site.acting(role, purpose, place=place, channel=channel, facts=facts) as work:
            work.collect(
                bench.standin.record, person=work.person(), source=source, **{bench.standin.columns[category]: text}
            )
    except Refused as error:
        refused = error
    tried = told("collect", category, facts, **flow) + ", and keep it"
    if refused is None and not answer.permitted:
        bench.let_through("keep.collect", "work.collect", tried, answer, "it was collected and stored", _COLLECT)
    elif refused is not None and answer.permitted:
        bench.kept_out("keep.collect", "work.collect", tried, answer, f"it was refused: {_said(refused)}", _COLLECT)
    if refused is not None and _rows(bench) != before:
        bench.hole(
            "keep.all_or_nothing",
            "the database",
            tried,
            "what is refused leaves no row",
            "a row was left",
            _COLLECT,
            *bench.anchors(answer)[:2],
        )


def _open(bench: Bench, attempt: Attempt) -> None:
    category = attempt.flow["object"]
    role, purpose, place = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    where: dict[str, str | None] = {"purpose": purpose, "role": role, "place": place}
    answer = bench.asked("open", category, facts, **where)
    if answer.permitted and bench.duties_in_unit(answer):
        return
    bench.report.tried("open")
    opened, before = None, _openings(bench)
    try:
        with bench.standin.site.acting(role, purpose, place=place, facts=facts) as work:
            opened = getattr(bench.record(work), bench.standin.columns[category]).open()
            raise _Undone  # who has read has read, also where the rest of the unit is undone
    except (Refused, _Undone):
        pass
    tried = told("open", category, facts, **where)
    if opened is not None and not answer.permitted:
        bench.let_through("open", "Sealed.open()", tried, answer, "the text was given", _OPEN)
    elif opened is None and answer.permitted:
        bench.kept_out("open", "Sealed.open()", tried, answer, "it was refused", _OPEN)
    elif opened is not None and opened != bench.value(category):
        bench.hole("open.text", "Sealed.open()", tried, "the text is what was sealed", "it is another", _OPEN)
    if opened is not None and _openings(bench) == before:
        bench.hole(
            "ledger.open",
            "the ledger",
            f"{tried}, in a unit of work that is undone afterwards",
            "the ledger has an entry for each opening: who has read has read",
            "there is no entry for it",
            "avow.vault.unit: its openings",
            *bench.anchors(answer)[:2],
        )


class _Undone(Exception):
    """Ends a unit of work without a commit."""


def _change(bench: Bench, attempt: Attempt) -> None:
    category = attempt.flow["object"]
    role, purpose, place = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    subject = bench.standin.names.subject
    where: dict[str, str | None] = {"purpose": purpose, "role": role, "place": place}
    ways = [attempt.flow.get("over"), *bench.reading.front.vocabulary.words["channel"]]
    with bench.page(bench.standin.act, facts):
        collected = {"source": subject, "subject": subject, **where}
        channel = next(
            (c for c in ways if bench.asked("collect", category, facts, channel=c, **collected).permitted), None
        )
        parts = [
            bench.asked("change", category, facts, **where),
            bench.asked("collect", category, facts, channel=channel, **collected),
            bench.asked("keep", category, facts, subject=subject, purpose=purpose),
        ]
        answer = next((part for part in parts if not part.permitted), parts[0])
        if answer.permitted and any(map(bench.duties_in_unit, parts)):
            return
        bench.report.tried("keep.change")
        changed = True
        try:
            with bench.standin.site.acting(role, purpose, place=place, channel=channel, facts=facts) as work:
                work.update(
                    bench.record(work, "bea"), **{bench.standin.columns[category]: bench.value(category, "bea")}
                )
        except Refused:
            changed = False
    tried = told("change", category, facts, **where) + ", by what is collected there"
    look = "work.update (avow.vault.keeping)"
    if changed and not answer.permitted:
        bench.let_through("keep.change", "work.update", tried, answer, "it was changed", look)
    elif not changed and answer.permitted:
        bench.kept_out("keep.change", "work.update", tried, answer, "it was refused", look)


def _derive(bench: Bench, attempt: Attempt) -> None:
    category, source = attempt.flow["object"], attempt.flow.get("from")
    if source not in bench.standin.columns or "as" in attempt.flow:
        return
    role, purpose, _ = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    answer = bench.asked("derive", category, facts, source=source, role=role, purpose=purpose)
    if answer.permitted and bench.duties_in_unit(answer):
        return
    bench.report.tried("keep.derive")
    derived = True
    try:
        with bench.standin.site.acting(role, purpose, facts=facts) as work:
            work.derive(category, [getattr(bench.record(work), bench.standin.columns[source])], lambda text: "derived")
    except Refused:
        derived = False
    tried = told("derive", category, facts, source=source, role=role, purpose=purpose)
    look = "work.derive (avow.vault.derived)"
    if derived and not answer.permitted:
        bench.let_through("keep.derive", "work.derive", tried, answer, "it was derived", look)
    elif not derived and answer.permitted:
        bench.kept_out("keep.derive", "work.derive", tried, answer, "it was refused", look)


def _unasked(bench: Bench) -> None:
    """What a sealed value does not do without being asked: print, compare, sort, travel, change its place."""
    category = next((c for c in (bench.standin.names.address,) if c in bench.standin.columns), "") or next(
        iter(bench.standin.columns)
    )
    column = bench.standin.columns[category]
    role, purpose, _ = bench.some
    search = bench.search()
    record = bench.standin.record
    with bench.standin.site.acting(role, purpose) as work:
        ann, bea = bench.record(work), bench.record(work, "bea")
        value = getattr(ann, column)
        tries: dict[str, Callable[[], object]] = {
            "str()": lambda: str(value),
            "repr()": lambda: repr(value),
            "format()": lambda: f"{value:>3}",
            "==": lambda: value == bench.value(category),
            "hash()": lambda: hash(value),
            "pickle": lambda: value.__reduce_ex__(4),
            "iterating": lambda: list(value),
            "sorting in SQL": lambda: list(work.db.scalars(select(record).order_by(getattr(record, column)))),
            "grouping in SQL": lambda: list(
                work.db.execute(select(func.count()).select_from(record).group_by(record.__table__.c[column]))
            ),
            "LIKE in SQL": lambda: list(
                work.db.scalars(select(record).where(getattr(record, column).like("%canary%")))
            ),
            "putting text in its place": lambda: setattr(ann, column, "clear text"),
            "putting another's in its place": lambda: setattr(ann, column, getattr(bea, column)),
        }
        for way, act in tries.items():
            bench.report.tried("seal.unasked")
            shown: Any = None
            try:
                shown = act()
            except (SealedError, TypeError):
                continue
            if way in ("str()", "repr()", "format()") and not search.hits(str(shown).encode()):
                continue
            bench.hole(
                "seal.unasked",
                "a sealed value in memory",
                f"{way} with a sealed value",
                "it says no, or names the category alone",
                "it did it",
                "avow.vault.sealed, avow.vault.columns",
            )
        work.db.rollback()


def _undeclared_card(bench: Bench) -> None:
    """A card number in a text that nobody called one, and an opened text in a plain column."""
    names = bench.standin.names
    categories = [c for c in bench.standin.columns if c not in (names.address, names.card, names.card_code)]
    if names.card not in bench.standin.columns:
        bench.report.without("card numbers in free text", f"the policy has no category `{names.card}`")
        return
    for attempt in _few(bench, "collect")[:8]:
        role, purpose, place = stand(bench, attempt)
        category = attempt.flow["object"]
        facts, subject = supplied(bench, attempt.facts), names.subject
        kept = bench.asked("keep", names.card, facts, subject=subject, purpose=purpose)
        if category not in categories or kept.permitted:
            continue
        bench.report.tried("keep.card")
        try:
            channel = attempt.flow.get("over")
            with bench.standin.site.acting(role, purpose, place=place, channel=channel, facts=facts) as work:
                work.collect(
                    bench.standin.record,
                    person=work.person(),
                    **{bench.standin.columns[category]: f"call me, {card_number()}"},
                )
        except AvowError:
            continue
        bench.let_through(
            "keep.card",
            "work.collect",
            f"collect `{category}` with a card number in it",
            kept,
            "it was stored",
            "what looks into free text: avow.vault.keeping, avow.edge.detectors",
        )


def _said(refused: Refused) -> str:
    return str(refused).splitlines()[0][:200]


def _rows(bench: Bench) -> int:
    with bench.scratch.opened.vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(bench.standin.record.__table__)) or 0


def _openings(bench: Bench) -> int:
    return sum(b'"verb":"open"' in body and b'"event":"permitted"' in body for body in bench.scratch.bodies())

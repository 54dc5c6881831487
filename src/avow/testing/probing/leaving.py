"""Leaving: shares, mails and exchanges, to recipients of the policy over real local connections, and beside the rules.

Asked for through `work`, delivered by the courier, looked at where they arrive. What is refused leaves no row in the
outbox; what leaves is the declared fields and nothing else, over the declared channel, to the declared address; each
attempt has its entries in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from avow.errors import AvowError, Refused, SetupError
from avow.outbound.address import MAIL
from avow.testing.probing.attempts import Attempt
from avow.testing.probing.bench import Bench, told
from avow.testing.probing.keeping import attempts_of, stand, supplied
from avow.vault.once import Once
from avow.vault.sealed import Given

_SHARE = "work.share: avow.outbound.recipient, avow.outbox"


def probe(bench: Bench) -> None:
    """Share, send and exchange; then weaken what leads outside."""
    for name, why in bench.scratch.peers.missing.items():
        bench.report.without(f"what is shared with `{name}`", why)
    _shares(bench)
    _exchanges(bench)
    _channels(bench)
    _later(bench)


# -- sharing ------------------------------------------------------------------------------------------


def _shares(bench: Bench) -> None:
    made: dict[bool, int] = {True: 0, False: 0}
    for attempt in attempts_of(bench, "share"):
        recipient, category = attempt.flow.get("with", ""), attempt.flow["object"]
        if recipient not in bench.scratch.peers.by_name or category not in bench.standin.columns:
            continue
        if min(made.values()) >= bench.most:
            break
        made[_share(bench, attempt, recipient, _single(bench, category))] += 1
    for recipient in bench.scratch.peers.by_name:
        if recipient != MAIL:
            _whole(bench, recipient)


def _single(bench: Bench, category: str) -> tuple[str, str]:
    """A record that holds nothing but a canary of one category."""
    key = f"only {category}"
    if key not in bench.planted:
        texts = {bench.standin.columns[category]: bench.value(category)}
        bench.planted[key] = bench.scratch.plant(bench.standin.record, texts)
    return bench.planted[key]


def _declared(bench: Bench, recipient: str, fields: Iterable[str]) -> list[str]:
    """The categories among these that the front matter lists for a recipient, by its own words and no engine."""
    listed = {("category", wide) for wide in bench.reading.front.recipients[recipient].fields}
    return [category for category in fields if bench.slow.above(("category", category)) & listed]


def _share(bench: Bench, attempt: Attempt, recipient: str, record: tuple[str, str]) -> bool:
    """Share a record with one value; whether it may be."""
    category = attempt.flow["object"]
    role, purpose, _ = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    channel = bench.scratch.opened.directory.channel_to(recipient)
    flow: dict[str, str | None] = {"recipient": recipient, "purpose": purpose, "channel": channel, "role": role}
    answer = bench.asked("share", category, facts, **flow)
    listed = bool(_declared(bench, recipient, [category]))
    if answer.permitted and bench.duties_in_unit(answer):
        return True
    bench.report.tried("leave.share")
    waiting, arrived = len(bench.scratch.outbox()), len(bench.scratch.peers.fields_at(recipient))
    refused = False
    with bench.page(bench.standin.act, facts):
        try:
            with bench.standin.site.acting(role, purpose) as work:
                try:
                    work.share(work.db.get_one(bench.standin.record, record), recipient)
                except (Refused, SetupError):
                    refused = True  # the unit goes on, and is committed: nothing may be in it
        except (Refused, SetupError):
            refused = True
        queued = len(bench.scratch.outbox()) > waiting
        bench.scratch.deliver()
    came = bench.scratch.peers.fields_at(recipient)[arrived:]
    tried = told("share", category, facts, **flow)
    if came and not (answer.permitted and listed):
        bench.let_through("leave.share", f"what leaves for {recipient}", tried, answer, "it arrived", _SHARE)
    elif answer.permitted and listed and not came:
        bench.kept_out("leave.share", f"what leaves for {recipient}", tried, answer, "nothing arrived", _SHARE)
    elif refused and queued:
        bench.hole(
            "leave.outbox",
            "the outbox",
            tried,
            "a refused share leaves nothing in the outbox",
            "a row was left",
            _SHARE,
            *bench.anchors(answer)[:2],
        )
    if came and {*came[0]} != {category}:
        bench.hole(
            "leave.fields",
            f"what leaves for {recipient}",
            tried,
            f"`{category}` arrives, and nothing else",
            f"this arrived: {', '.join(came[0])}",
            _SHARE,
            *bench.anchors(answer)[:2],
        )
    return answer.permitted and listed


def _whole(bench: Bench, recipient: str) -> None:
    """Share a record with everything in it, as it would be permitted for the declared fields: only they leave."""
    fields = _declared(bench, recipient, bench.standin.columns)
    wanted = next(
        (
            a
            for a in attempts_of(bench, "share")
            if a.flow.get("with") == recipient
            and a.flow["object"] in fields
            and bench.slow.decide(a.flow, a.facts).permitted
        ),
        None,
    )
    if wanted is None:
        return
    role, purpose, _ = stand(bench, wanted)
    facts = supplied(bench, wanted.facts)
    channel = bench.scratch.opened.directory.channel_to(recipient)
    flow: dict[str, str | None] = {"recipient": recipient, "purpose": purpose, "channel": channel, "role": role}
    answers = {field: bench.asked("share", field, facts, **flow) for field in fields}
    bench.report.tried("leave.fields")
    arrived = len(bench.scratch.peers.fields_at(recipient))
    entries = _events(bench, recipient)
    with bench.page(bench.standin.act, facts):
        try:
            with bench.standin.site.acting(role, purpose) as work:
                work.share(bench.record(work), recipient)
        except (Refused, SetupError):
            pass
        bench.scratch.deliver()
    came = bench.scratch.peers.fields_at(recipient)[arrived:]
    tried = f"a record that holds everything is shared with `{recipient}` for {purpose}"
    declared = {*fields, *(f"probe.{field}" for field in fields)}
    denied = [field for field, answer in answers.items() if not answer.permitted]
    if came and denied:
        bench.let_through(
            "leave.fields",
            f"what leaves for {recipient}",
            tried,
            answers[denied[0]],
            "it arrived, though one of its fields may not go there",
            _SHARE,
        )
    for each in came:
        if not {*each} <= declared:
            bench.hole(
                "leave.fields",
                f"what leaves for {recipient}",
                tried,
                f"only the declared fields arrive: {', '.join(fields)}",
                f"this arrived, too: {', '.join(sorted({*each} - declared))}",
                _SHARE,
                wanted.rule.sentence.anchor,
            )
        if bench.search(who="bea").hits(repr(dict(each)).encode()):
            bench.hole(
                "leave.owner",
                f"what leaves for {recipient}",
                tried,
                "only that person's values arrive",
                "somebody else's arrived",
                _SHARE,
                wanted.rule.sentence.anchor,
            )
    if came:
        new = _events(bench, recipient) - entries
        if not {"attempted", "done"} <= new.keys():
            bench.hole(
                "ledger.leave",
                "the ledger",
                tried,
                "the ledger says `attempted`, and how it ended",
                f"it says {', '.join(sorted(new)) or 'nothing'}",
                "avow.outbox.courier",
                wanted.rule.sentence.anchor,
            )


def _events(bench: Bench, recipient: str) -> Counter[str]:
    """How often each was noted; what waits for the ledger has no order."""
    events = ("attempted", "done", "failed", "unknown")
    entries = bench.scratch.entries()
    return Counter(
        entry["event"] for entry in entries if entry.get("recipient") == recipient and entry["event"] in events
    )


# -- exchanges ----------------------------------------------------------------------------------------


def _exchanges(bench: Bench) -> None:
    made = 0
    for attempt in attempts_of(bench, "share"):
        recipient, category = attempt.flow.get("with", ""), attempt.flow["object"]
        if recipient not in bench.scratch.peers.by_name or made >= bench.most:
            continue
        if bench.scratch.opened.directory.channel_to(recipient) != "https":
            continue
        made += 1
        _exchange(bench, attempt, recipient, category)


def _exchange(bench: Bench, attempt: Attempt, recipient: str, category: str) -> None:
    role, purpose, _ = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    flow: dict[str, str | None] = {"recipient": recipient, "purpose": purpose, "channel": "https", "role": role}
    answer = bench.asked("share", category, facts, **flow)
    if category not in bench.standin.columns or bench.duties_in_unit(answer):
        return
    may = answer.permitted and bool(_declared(bench, recipient, [category]))
    bench.report.tried("leave.exchange")
    attempted = _events(bench, recipient)["attempted"]
    again = False
    with bench.page(bench.standin.act, facts):
        try:
            with bench.standin.site.acting(role, purpose, facts=facts) as work:
                values = Once("probe", {category: Given(category, "Zoë <once>")})
                about = bench.record(work)
                work.exchange(values, recipient, about=about)
                work.exchange(values, recipient, about=about)
                again = True
        except (Refused, SetupError):
            pass
    left = _events(bench, recipient)["attempted"] - attempted
    tried = told("share", category, facts, **flow) + ", in an exchange"
    look = "work.exchange: avow.outbound.exchange, avow.vault.once"
    if left and not may:
        bench.let_through("leave.exchange", f"what leaves for {recipient}", tried, answer, "it left", look)
    elif may and not left:
        bench.kept_out("leave.exchange", f"what leaves for {recipient}", tried, answer, "it did not leave", look)
    elif again or left > 1:
        bench.hole(
            "leave.once",
            f"what leaves for {recipient}",
            f"{tried}, twice with the same values",
            "values for a single use serve once",
            "they were used again",
            look,
            *bench.anchors(answer)[:1],
        )


# -- what leads outside -------------------------------------------------------------------------------


def _channels(bench: Bench) -> None:
    """An address over another channel, or of nobody, and a recipient whose certificate is another's."""
    addresses = bench.scratch.peers.addresses
    for recipient, declared in bench.reading.front.recipients.items():
        if recipient not in addresses or not declared.channels:
            continue
        others = {"https": "https://127.0.0.1:9/x", "smtps": "smtps://127.0.0.1:9/a@b.example"}
        other = next((url for channel, url in others.items() if channel not in declared.channels), None)
        wrong = {"http": f"http://127.0.0.1:9/{recipient}", **({"another": other} if other else {})}
        for url in wrong.values():
            bench.report.tried("leave.channel")
            if _opens(bench, {**addresses, recipient: url}):
                bench.hole(
                    "leave.channel",
                    "the start of a service",
                    f"`{recipient}` gets the address {url.partition(':')[0]}://…",
                    f"the service does not start: the policy says over {', '.join(declared.channels)}",
                    "it started",
                    "avow.outbound.directory, avow.outbound.endpoint",
                )
    bench.report.tried("leave.stranger")
    strangers = ("https://127.0.0.1:9/x", "smtps://127.0.0.1:9")
    if any(_opens(bench, {**addresses, "nobody_declared": url}) for url in strangers):
        bench.hole(
            "leave.stranger",
            "the start of a service",
            "an address for a recipient that the policy has not",
            "the service does not start",
            "it started",
            "avow.outbound.directory",
        )
    _certificates(bench)


def _opens(bench: Bench, addresses: dict[str, Any]) -> bool:
    """Whether a directory of these addresses can be made."""
    from avow.outbound.directory import Directory

    try:
        Directory(
            bench.standin.site.policy,
            addresses,
            ca=bench.scratch.peers.ca,
            timeout=1.0,
            sender=lambda: "probe@probe.example",
        )
    except AvowError:
        return False
    return True


def _certificates(bench: Bench) -> None:
    """A recipient whose certificate comes from elsewhere, and a mail server likewise, gets nothing."""
    from avow.outbound.https import HttpsChannel
    from avow.testing.certificates import Authority
    from avow.testing.supplier import HttpsSupplier

    other = Authority.create(bench.scratch.folder / "another authority")
    with HttpsSupplier(other, name="impostor") as impostor:
        bench.report.tried("leave.certificate")
        channel = HttpsChannel(impostor.url, bench.scratch.peers.ca, 2.0)
        with suppress(AvowError):
            channel.post({"reference": "0" * 32, "fields": {}}, idempotency="0" * 32)
        if impostor.orders:
            bench.hole(
                "leave.certificate",
                "what leaves over HTTPS",
                "somebody else passes for a recipient",
                "the certificate does not verify, and nothing leaves",
                "it arrived there",
                "avow.outbound.tls, avow.outbound.https",
            )


def _later(bench: Bench) -> None:
    """A share is judged again when it leaves: what has changed since it was asked for counts."""
    for attempt in attempts_of(bench, "share"):
        recipient, category = attempt.flow.get("with", ""), attempt.flow["object"]
        turned = {name: not fact for name, fact in attempt.facts.items() if isinstance(fact, bool)}
        if recipient not in bench.scratch.peers.by_name or category not in bench.standin.columns or not turned:
            continue
        role, purpose, _ = stand(bench, attempt)
        channel = bench.scratch.opened.directory.channel_to(recipient)
        flow: dict[str, str | None] = {"recipient": recipient, "purpose": purpose, "channel": channel, "role": role}
        before, after = supplied(bench, attempt.facts), supplied(bench, turned)
        first = bench.asked("share", category, before, **flow)
        then = bench.asked("share", category, after, **flow)
        if not first.permitted or then.permitted or not _declared(bench, recipient, [category]):
            continue
        if bench.duties_in_unit(first):
            continue
        bench.report.tried("leave.later")
        arrived = len(bench.scratch.peers.fields_at(recipient))
        record = _single(bench, category)
        with bench.page(bench.standin.act, before), bench.standin.site.acting(role, purpose) as work:
            work.share(work.db.get_one(bench.standin.record, record), recipient)
        with bench.page(bench.standin.act, after):
            bench.scratch.deliver()
        if len(bench.scratch.peers.fields_at(recipient)) > arrived:
            bench.let_through(
                "leave.later",
                f"what leaves for {recipient}",
                f"{told('share', category, after, **flow)}; asked for when it was permitted",
                then,
                "it arrived",
                "avow.outbox.courier, avow.outbound.recipient",
            )
        return

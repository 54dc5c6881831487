"""Mails: each message of the policy, to the address in a record, as rules permit it and beside them.

They leave through the outbox to a local mail server, over TLS, and are looked at as they arrive: to whom they went,
what they show, and whether they offer what they must.
"""

from __future__ import annotations

from typing import Any

from avow.errors import Refused, SetupError
from avow.outbound.address import MAIL
from avow.testing.probing.attempts import Attempt
from avow.testing.probing.bench import Bench, told
from avow.testing.probing.keeping import attempts_of, stand, supplied

_SEND = "work.send: avow.outbound.letter, avow.outbox"


def probe(bench: Bench) -> None:
    """Send what rules speak of, and what lies beside."""
    address = bench.standin.names.address
    if MAIL not in bench.scratch.peers.by_name or address not in bench.standin.columns:
        bench.report.without("mails", "the policy has no message, or no category that a mail goes to")
        return
    made: dict[bool, int] = {True: 0, False: 0}
    for attempt in attempts_of(bench, "send"):
        if attempt.flow.get("to") != address or min(made.values()) >= bench.most:
            continue
        made[_send(bench, attempt)] += 1
    shown = [a for a in attempts_of(bench, "show") if a.flow.get("at") == "mail"]
    for attempt in [a for a in shown if a.flow["object"] in bench.standin.columns][: bench.most]:
        _in_mail(bench, attempt)


def _send(bench: Bench, attempt: Attempt) -> bool:
    """Send one mail; whether it may be."""
    message, address = attempt.flow["object"], bench.standin.names.address
    role, purpose, _ = stand(bench, attempt)
    facts = supplied(bench, attempt.facts)
    flow: dict[str, str | None] = {"audience": address, "purpose": purpose, "channel": "smtps"}
    answer = bench.asked("send", message, facts, **flow)
    offers = {str(t) for r in bench.reading.rules if r.text in answer.duties and r.verb == "offer" for t in r.objects}
    owed = {duty.text for duty in bench.standin.site.policy.duties if duty.timing == "with"} & answer.duties
    others = {rule.text for rule in bench.reading.rules if rule.text in owed and rule.verb != "offer"}
    if answer.permitted and others:
        return True
    bench.report.tried("mail.send")
    came = _mail(bench, message, role, purpose, facts, [])
    tried = told("send", message, facts, **flow)
    if came and not answer.permitted:
        bench.let_through("mail.send", "a mail", tried, answer, "it arrived", _SEND)
    elif answer.permitted and not came:
        bench.kept_out("mail.send", "a mail", tried, answer, "nothing arrived", _SEND)
    for mail in came:
        if tuple(mail.recipients) != (bench.value(address),):
            bench.hole(
                "mail.address",
                "a mail",
                tried,
                "it goes to the address in the record, and to nobody else",
                "it went to another address",
                _SEND,
                *bench.anchors(answer)[:2],
            )
        if offers and "unsubscribe" in offers:
            bench.report.tried("mail.offer")
            if not all(name in mail.message for name in ("List-Unsubscribe", "List-Unsubscribe-Post")):
                bench.hole(
                    "mail.offer",
                    "a mail",
                    tried,
                    "its headers let a mail program end the subscription",
                    "they are not there",
                    "avow.outbound.letter",
                    *bench.duty_anchors("offer", "unsubscribe"),
                )
            _without_link(bench, message, role, purpose, facts)
    return answer.permitted


def _without_link(bench: Bench, message: str, role: str, purpose: str, facts: dict[str, Any]) -> None:
    """The same mail without the link that it must offer."""
    bench.standin.site.shared_context["offers"] = False
    try:
        came = _mail(bench, message, role, purpose, facts, [])
    finally:
        bench.standin.site.shared_context["offers"] = True
    bench.report.tried("mail.offer")
    if came:
        bench.hole(
            "mail.offer",
            "a mail",
            f"send `{message}` without the link that it must offer",
            "it does not leave",
            "it arrived",
            "avow.outbound.letter: what a mail must offer",
            *bench.duty_anchors("offer"),
        )


def _mail(bench: Bench, message: str, role: str, purpose: str, facts: dict[str, Any], shown: list[str]) -> list[Any]:
    """Send a mail to Ann that shows these attributes of hers; what arrived."""
    box = bench.scratch.peers.by_name[MAIL]
    arrived = len(box.received)
    bench.standin.shown[:] = shown
    with bench.page(bench.standin.act, facts):
        try:
            with bench.standin.site.acting(role, purpose) as work:
                work.send(message, bench.record(work))
        except (Refused, SetupError):
            pass
        bench.scratch.deliver()
    bench.standin.shown.clear()
    _give_up(bench)
    return list(box.received)[arrived:]


def _give_up(bench: Bench) -> None:
    """What could not be packed is not tried again in the middle of another attempt."""
    outbox = bench.standin.site.home.schema.outbox
    with bench.scratch.opened.vault.store.writing() as connection:
        connection.execute(outbox.update().where(outbox.c.state == "ready").values(state="failed"))


def _in_mail(bench: Bench, attempt: Attempt) -> None:
    """Show a value in a mail that may be sent."""
    category, role_of = attempt.flow["object"], bench.some[0]
    purpose = attempt.flow.get("for", bench.some[1])
    address = bench.standin.names.address
    facts = supplied(bench, attempt.facts)
    for message in bench.reading.front.vocabulary.words["message"]:
        sent = bench.asked("send", message, facts, audience=address, purpose=purpose, channel="smtps")
        if sent.permitted and not bench.duties_in_unit(sent):
            break
    else:
        return
    subject = bench.standin.names.subject
    where: dict[str, str | None] = {"purpose": purpose, "audience": subject, "place": "mail", "role": role_of}
    answer = bench.asked("show", category, facts, **where)
    if answer.permitted and bench.duties_in_unit(answer):
        return
    bench.report.tried("mail.show")
    came = _mail(bench, message, role_of, purpose, facts, [bench.standin.columns[category]])
    search = bench.search(category, who="ann")
    body = b"".join(mail.message.get_body(("plain",)).get_content().encode() for mail in came)
    tried = f"`{message}` showed `{category}`: " + told("show", category, facts, **where)
    if search.hits(body) and not answer.permitted:
        bench.let_through("mail.show", "a mail", tried, answer, "the mail held the value", _SEND)
    elif answer.permitted and not search.hits(body):
        bench.kept_out("mail.show", "a mail", tried, answer, "the mail did not hold it, or did not arrive", _SEND)

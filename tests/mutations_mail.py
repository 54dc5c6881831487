"""Guards of mail, in and out: what it must offer, what would tell who opens it, who has said no."""

from __future__ import annotations

from tests.mutation import Mutation

_EDGE, _OUTBOUND, _SITE, _SHOP = "src/avow/edge", "src/avow/outbound", "src/avow/site", "sites/gourmet"
_VAULT = "src/avow/vault"

_NEWSLETTER = (
    Mutation(
        "I5", f"{_OUTBOUND}/letter.py", "verdict = self.judge(unit, send.name, record, send.purpose)",
        "verdict = self.judge(unit, send.name, record, send.purpose, leaving=False)",
        "an issue leaves without what it must offer",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/letter.py", "if link is None or link not in draft.text.split():", "if link is None:",
        "the link to unsubscribe by is made and not written into the issue",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/letter.py", "                if not headers:\n                    continue\n", "",
        "an issue leaves without the headers by which mail programs unsubscribe",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/letter.py", 'if not (link.startswith("https://") or _is_this_machine(link)):', "if False:",
        "the one click goes over a line that can be overheard",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/plain.py", "    for fault in faults(text, links):", "    for fault in ():",
        "a mail that tells who opens it leaves if its template passed",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/plain.py",
        'for fault in faults(_as_sent(text, links), Links(links.base, links.contact, {f"{links.base}/_"})):',
        "for fault in ():", "a shop opens with a mail that tells who opens it",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/plain.py", "path != link and _PLAIN_PATH.fullmatch(path) is not None", "path != link",
        "a link to the shop itself says who follows it",
    ),
    Mutation(
        "I5", f"{_OUTBOUND}/smtp.py", "    lines = sign(lines) + lines\n", "",
        "a mail can be changed on its way, its link to unsubscribe by too",
    ),
    Mutation(
        "I5", f"{_EDGE}/middleware.py", "declaration.one_click and is_one_click(intake)", "is_one_click(intake)",
        "one click does more than to end a subscription",
    ),
    Mutation(
        "I5", f"{_SHOP}/choice.py", 'return choice.state == "yes" and genuine(work, choice)',
        'return choice.state == "yes"', "a consent that was written into the database counts",
    ),
    Mutation(
        "I5", f"{_SHOP}/choice.py", '"consented(newsletter)": said.get("newsletter", False)',
        '"consented(newsletter)": said.get("newsletter", True)', "who has said nothing has agreed",
    ),
    Mutation(
        "I5", f"{_SHOP}/choice.py", '"withdrawn(newsletter)": not said.get("newsletter", True)',
        '"withdrawn(newsletter)": False', "who has ended it is not known to have",
    ),
    Mutation(
        "I5", f"{_SHOP}/newsletter.py", "~later, ~dealt_with)", "~later)",
        "an issue is queued once more for who has had it",
    ),
    Mutation(
        "I5", f"{_SITE}/site.py", 'if one_click is not None and is_one_click(request.scope["avow"][1]):',
        "if one_click is not None:", "looking at the link ends the subscription",
    ),
    Mutation(
        "I5", f"{_SITE}/links.py",
        'return hashlib.sha256(b"avow link\\0" + token.encode("utf-8", "replace")).digest()',
        'return token.encode("utf-8", "replace")', "the secret that ends a subscription can be read in the database",
    ),
)  # fmt: skip

_NO_MORE = (
    Mutation(
        "I15", f"{_SHOP}/choice.py", '"objected(mail)": not said.get("mail", True)', '"objected(mail)": False',
        "who wants no more mail gets more",
    ),
    Mutation(
        "I15", f"{_SHOP}/choice.py", 'if c.state != "asked" or not genuine(work, c)]', 'if c.state != "asked"]',
        "an objection is turned into a question in the database",
    ),
    Mutation(
        "I15", f"{_SHOP}/choice.py", "(c.since, not wants(work, c))", "(c.since, wants(work, c))",
        "of two choices of one moment the one that says yes counts",
    ),
    Mutation(
        "I15", f"{_SHOP}/stop.py", 'work.presented(kind, work.path["secret"], "stop")',
        'work.presented(kind, work.path["secret"], "")', "who has the link to an order takes an objection back",
    ),
    Mutation(
        "I15", f"{_OUTBOUND}/letter.py", "verdict = self.judge(unit, send.name, record, send.purpose)",
        "verdict = self.judge(unit, send.name, record, send.purpose, leaving=False)",
        "a mail leaves without the link by which all mail stops",
    ),
    Mutation(
        "I15", f"{_EDGE}/notices.py", 'elif duty.timing == "state"', 'elif duty.timing == "never"',
        "a page on which mail is stopped does not say what has stopped",
    ),
    Mutation(
        "I9", f"{_SHOP}/choice.py", '"objected(other_uses)": not said.get("other_uses", True)',
        '"objected(other_uses)": False', "an objection to other uses is not known where it counts",
    ),
    Mutation(
        "I9", f"{_SHOP}/choice.py", '"objected(marketing)": not said.get("marketing", True)',
        '"objected(marketing)": False', "who wants no offers gets some",
    ),
    Mutation(
        "I9", f"{_SHOP}/choice.py", 'return choice.state == "yes" and genuine(work, choice)',
        'return choice.state == "yes"', "an objection is turned round in the database",
    ),
    Mutation(
        "I15", f"{_SHOP}/choice.py", 'return choice.state == "yes" and genuine(work, choice)',
        'return choice.state == "yes"', "a wish for no more mail is turned round in the database",
    ),
    Mutation(
        "I9", f"{_SHOP}/choice.py", 'if c.state != "asked" or not genuine(work, c)]', 'if c.state != "asked"]',
        "an objection to other uses is turned into a question in the database",
    ),
    Mutation(
        "I9", f"{_SHOP}/stop.py", 'work.presented(kind, work.path["secret"], "stop")',
        'work.presented(kind, work.path["secret"], "")', "who has the link to an order objects for its owner",
    ),
    Mutation(
        "I9", f"{_SHOP}/choice.py", "number=work.fingerprint(number),", "number=number,",
        "the number that leads to an objection can be read in the database",
    ),
    Mutation(
        "I15", f"{_SHOP}/choice.py", "number=work.fingerprint(number),", "number=number,",
        "the number that leads to a wish for no more mail can be read in the database",
    ),
    Mutation(
        "I9", f"{_VAULT}/keeping.py", '''            unit.judge(
                "collect",''', '''            (lambda *flow, **about: None)(
                "collect",''',
        "a page that no sentence names takes an objection",
    ),
    Mutation(
        "I9", f"{_EDGE}/inbox.py", 'silence("mail.log")', 'logging.getLogger("mail.log").disabled = True',
        "the log of the web shop holds each mail that comes in",
    ),
    Mutation(
        "I2", f"{_EDGE}/inbox.py", 'silence("mail.log")', 'logging.getLogger("mail.log").disabled = True',
        "the log of the web shop holds the card number that a mail brings",
    ),
)  # fmt: skip

MAIL: tuple[Mutation, ...] = (*_NEWSLETTER, *_NO_MORE)

"""Guards in the code, each with the patch that takes it away. `make mutate` applies them one at a time.

A patch replaces an exact piece of source that occurs once in its file; production code knows nothing of it. Write one
for each check that keeps a promise row, next to the change that adds the check:

    Mutation("I2", "src/avow/edge/detectors.py", "if not luhn(digits):", "if True:", "a card number in a note passes")
"""

from __future__ import annotations

from tests.mutation import Mutation
from tests.mutations_desk import DESKS
from tests.mutations_erase import ERASE
from tests.mutations_mail import MAIL
from tests.mutations_outbound import OUTBOUND
from tests.mutations_rights import RIGHTS
from tests.mutations_rows import ROWS
from tests.mutations_transfer import TRANSFER
from tests.mutations_vault import OLDER, STANDING

__all__ = ["MUTATIONS", "Mutation"]

_CLI, _EDGE, _OUTBOUND = "src/avow/cli", "src/avow/edge", "src/avow/outbound"
_SHOP, _SITE, _VAULT = "sites/gourmet", "src/avow/site", "src/avow/vault"

_VERSION = (
    Mutation(
        "I1", f"{_VAULT}/record.py", 'ForeignKey("avow_policy.digest"), nullable=False', "nullable=True",
        "a record may lie in the database without a version",
    ),
    Mutation(
        "I1", f"{_VAULT}/keeping.py",
        'or name in ("id", "policy", layout.owner) or name not in layout.named', "or name == layout.owner",
        "a program chooses the version of what it collects",
    ),
    Mutation(
        "I1", f"{_VAULT}/envelope.py", "_measured(field.encode()) + _measured(head)", "_measured(field.encode())",
        "the version within a sealed value can be changed",
    ),
    Mutation(
        "I1", f"{_EDGE}/notices.py", 'elif duty.timing == "state"', 'elif duty.timing == "never"',
        "a page leaves without the notices that its place demands",
    ),
    Mutation(
        "I13", f"{_EDGE}/notices.py", "and not unit.vault.announces():", "and True:",
        "a new version is announced by no page",
    ),
)  # fmt: skip

_CARD_KEPT = (
    Mutation(
        "I2", f"{_EDGE}/form.py", "seen = screen(text) if spec.echo else None", "seen = None",
        "a card number in a note comes back in the form",
    ),
    Mutation(
        "I2", f"{_VAULT}/keeping.py", "        inspect_text(unit, text)\n        texts.app", "        texts.app",
        "a card number in a note is sealed and stored",
    ),
    Mutation(
        "I2", f"{_VAULT}/keeping.py",
        "    inspect_text(unit, text)\n    opened", "    opened",
        "a card number is stored in a plain column",
    ),
    Mutation(
        "I2", f"{_VAULT}/keeping.py",
        'unit.judge("keep", value.category, subject=unit.vault.subject)  # a card in a note', "pass  # ",
        "a card put into a note is refused without the sentence that forbids it",
    ),
    Mutation(
        "I2", f"{_EDGE}/visits.py",
        "if any(category for inspector in unit.vault.inspectors for category in inspector(value)):", "if False:",
        "the address of the page that a visitor came from is noted with a card number in it",
    ),
    Mutation(
        "I2", f"{_EDGE}/exits.py", "    for _, value in headers:", "    for _, value in ():",
        "a card number leaves in a redirect or a cookie",
    ),
    Mutation(
        "I2", f"{_EDGE}/middleware.py", "[*answer.headers, *cookies.headers()]", "answer.headers",
        "a card number leaves in a cookie that was set the right way",
    ),
    Mutation(
        "I2", f"{_EDGE}/logs.py", "in reversed(find_cards(text)):", "in ():",
        "logs and tracebacks hold card numbers",
    ),
    Mutation(
        "I2", f"{_SITE}/opened.py", "(self.site.card_code, code)", "",
        "the security code of a card is kept in a note that calls it so",
    ),
)  # fmt: skip

_VISITS = (
    Mutation(
        "I4", f"{_EDGE}/intake.py", '        b"origin",', '        b"origin",\n        b"user-agent",',
        "the shop's code sees the full identification of the browser",
    ),
    Mutation(
        "I4", f"{_EDGE}/intake.py", '{**scope, "headers": kept, "client": None}', '{**scope, "headers": kept}',
        "the shop's code sees the visitor's network address",
    ),
    Mutation(
        "I4", f"{_EDGE}/intake.py", "brand_and_version(raw.get(b\"user-agent\", b\"\").decode(\"latin-1\"))",
        "raw.get(b\"user-agent\", b\"\").decode(\"latin-1\")", "the full identification of the browser is noted",
    ),
    Mutation(
        "I4", f"{_EDGE}/intake.py", "referring_page(referrer, origin)", "referrer or None",
        "what was searched for on the page that the visitor came from is noted",
    ),
    Mutation(
        "I4", f"{_EDGE}/visits.py", 'if intake.visit["inside"]:', "if False:",
        "the way through the shop is noted, page by page",
    ),
)  # fmt: skip

_COOKIES = (
    Mutation(
        "I6", f"{_EDGE}/cookies.py",
        '        self._unit.judge("set", self._term(name), place=self._unit.place)\n', "",
        "a cookie is set without asking the policy",
    ),
    Mutation(
        "I6", f"{_EDGE}/cookies.py",
        'self._unit.judge("open", self._term(name), role=self._unit.role, place=self._unit.place)', "pass",
        "the cart is read for other ends",
    ),
    Mutation(
        "I6", f"{_EDGE}/middleware.py", 'if name == b"set-cookie":', "if False:",
        "a cookie that a framework sets leaves unseen",
    ),
    Mutation(
        "I6", f"{_EDGE}/cookies.py", "if not _ALLOWED.issuperset(value) or len(value) > LONGEST:", "if False:",
        "a cookie's value brings another cookie along",
    ),
)  # fmt: skip

_GREETING = (
    Mutation(
        "I6", f"{_SHOP}/greeting.py", 'if not shown.may_show("name"):', "if False:",
        "who objects to other uses of their name gets no pages at all",
    ),
    Mutation(
        "I6", f"{_SHOP}/tokens.py", "if compare_digest(row.bond, _hash(work, kind, number, row.customer)):", "if True:",
        "a row that was moved to another customer greets them, and logs in to their account",
    ),
    Mutation(
        "I6", f"{_SHOP}/tokens.py", "work.fingerprint(", "str(",
        "the numbers in the cookies can be read in the database",
    ),
    Mutation(
        "I6", f"{_SHOP}/frame.py", 'return {"count": cart.count, "greeting": greeting.greet(work)}',
        'greeting.greet(work)\n    work.set_cookie("seen", "1")\n    return {"count": cart.count}',
        "a cookie that nobody declared is set on each page",
    ),
    Mutation(
        "I6", f"{_VAULT}/aside.py", "**unit.common_facts(), ", "**unit.facts, ",
        "a greeting on the page of an order shows what its link shows",
    ),
    Mutation(
        "I6", f"{_VAULT}/knowing.py", "        if person != self.viewer:", "        if False:",
        "what the link of one order opens is shown of another customer",
    ),
    Mutation(
        "I6", f"{_VAULT}/derived.py",
        '        unit.judge("derive", category, value=source, source=source.category, role=unit.role)\n', "",
        "a standing is derived from anything",
    ),
)  # fmt: skip

_COUNTS = (
    Mutation(
        "I4", f"{_VAULT}/counts.py", "if len(people) >= group)", "if people)",
        "a figure tells of fewer than ten",
    ),
    Mutation(
        "I4", f"{_VAULT}/counts.py", "while rest and len(rest) < group and large:", "while False:",
        "what is left of a total tells of fewer than ten",
    ),
    Mutation(
        "I4", f"{_VAULT}/counts.py", "if len(rest) >= group else []", "if rest else []",
        "what has no group at all is told together",
    ),
    Mutation(
        "I4", f"{_VAULT}/counts.py", "for day, record in dated if day < today", "for day, record in dated",
        "who looks twice on one day sees what came in between",
    ),
    Mutation(
        "I4", f"{_VAULT}/counts.py",
        "for span in _spans(over, least) if span.full]", "for span in _spans(over, least)]",
        "a period is shown that is too small, and changes",
    ),
    Mutation(
        "I4", f"{_VAULT}/counts.py",
        'self._unit.judge("derive", self._category, source=category, form=self._form, role=self._by)', "pass",
        "anything is counted, in groups of any size",
    ),
    Mutation(
        "I4", f"{_VAULT}/record.py", "label, _ = self._seal().unseal(field.id, sealed)",
        "from avow.vault.envelope import read_label\n\n        label = read_label(sealed)",
        "a date that was put there from another row counts",
    ),
)  # fmt: skip

_CARD_PASSED_ON = (
    Mutation(
        "I8", f"{_VAULT}/once.py", "values, self._values = self._values, None", "values = self._values",
        "a card is used twice",
    ),
    Mutation(
        "I8", f"{_OUTBOUND}/exchange.py", "            if values.used:", "            if False:",
        "a second use of a card is refused without the sentence that forbids it",
    ),
    Mutation(
        "I8", f"{_OUTBOUND}/exchange.py", "        self._judge(unit, values, recipient, about, purpose)\n", "",
        "a card is sent to whoever is named",
    ),
    Mutation(
        "I8", f"{_VAULT}/sealed.py", "    def __reduce_ex__(self, _protocol: object) -> NoReturn:",
        "    def _reduce(self, _protocol: object) -> NoReturn:", "a card is copied and pickled",
    ),
    Mutation(
        "I8", f"{_VAULT}/once.py", "        for category in self._categories:", "        for category in ():",
        "a card in a page is refused without the sentence that forbids it",
    ),
    Mutation(
        "I8", f"{_VAULT}/unit.py",
        'self.judge("open", value.category, value=value, purpose=purpose, role=self.role, place=self.place)', "pass",
        "what is typed in is opened without asking the policy",
    ),
    Mutation(
        "I8", f"{_SHOP}/app.py",
        "if order.status not in ordering.PAYABLE:  # paid", "if False:  # ",
        "an order that is paid is paid again",
    ),
    Mutation(
        "I8", f"{_SHOP}/app.py", "for order in work.select(Order, Order.ticket == ticket):", "for order in []:",
        "a form that is sent twice is paid twice, or ends in an error",
    ),
    Mutation(
        "I8", f"{_OUTBOUND}/tls.py", "    context.minimum_version = ssl.TLSVersion.TLSv1_2\n",
        "    context.check_hostname = False\n    context.verify_mode = ssl.CERT_NONE\n",
        "anybody can pass for the card processor",
    ),
    Mutation(
        "I8", f"{_OUTBOUND}/endpoint.py", "if parts.scheme not in schemes:", "if False:",
        "a plain address for the card processor is one",
    ),
    Mutation(
        "I8", f"{_EDGE}/logs.py", "in reversed(find_cards(text)):", "in ():",
        "logs and tracebacks hold card numbers",
    ),
)  # fmt: skip

_ON_THE_WAY = (
    Mutation(
        "I12", f"{_EDGE}/middleware.py", 'if intake.channel == "http":', "if False:",
        "pages are served over plain HTTP",
    ),
    Mutation(
        "I12", f"{_EDGE}/intake.py", "all(end and _is_loopback(end[0]) for end in ends)", "True",
        "plain HTTP from anywhere counts as coming from this machine",
    ),
    Mutation(
        "I12", f"{_EDGE}/headers.py", "        headers.append(_HSTS)", "        pass",
        "a browser may come back without encryption",
    ),
    Mutation(
        "I12", f"{_EDGE}/cookies.py", 'return "; Secure" if', 'return "" if', "the cart travels unencrypted",
    ),
    Mutation(
        "I12", f"{_CLI}/serve.py", "if cert is None and not _is_loopback(host):", "if False:",
        "the service listens on plain HTTP outside this machine",
    ),
)  # fmt: skip

_CONTACT = (
    Mutation(
        "I14", "src/avow/language/rulecheck.py", "if not self._reading.front.contact:", "if False:",
        "a policy without a way to reach anybody is published",
    ),
    Mutation(
        "I14", f"{_EDGE}/notices.py", "return all(way in text or escape(way) in text for way in ways)", "return True",
        "a page or mail leaves without a way to reach the shop",
    ),
)  # fmt: skip

_FRAGMENT = (
    Mutation(
        "I16", f"{_SHOP}/ordering.py", 'reply["last4"][-4:]', 'reply["last4"]',
        "as many digits are kept and shown as the processor sends",
    ),
    Mutation(
        "I16", f"{_VAULT}/envelope.py", "self._aad + _measured(field.encode())", "self._aad",
        "the digits put into the place of the city are shown as an address",
    ),
    Mutation(
        "I16", f"{_VAULT}/unit.py",
        "return self.vault.subject if own else None", "return self.vault.subject",
        "whoever looks counts as the customer",
    ),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (
    *_VERSION, *_CARD_KEPT, *_VISITS, *_COOKIES, *_COUNTS, *_CARD_PASSED_ON,
    *_ON_THE_WAY, *_CONTACT, *_FRAGMENT, *_GREETING,
    *OUTBOUND, *DESKS, *MAIL, *ERASE, *RIGHTS, *ROWS, *OLDER, *STANDING, *TRANSFER,
)  # fmt: skip

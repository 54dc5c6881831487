"""A journey through the whole shop, with a canary in every field of every form, every header and every mail.

Each step stands for itself, so it can be taken while a peer fails; `everywhere` takes all. `seen` has what came back.
"""

from __future__ import annotations

import base64
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage

import httpx

from avow.site.staff_file import NAME, StaffFile
from avow.testing.canaries import Canary, card_number, phrased
from tests.campaigns.canaries import purchase
from tests.campaigns.phrases import ADDRESS, FITTING, OPEN_FIELDS, TEXTS
from tests.campaigns.purchases import Buyer, Service
from tests.sites.customer import Customer, hidden

PUBLISHED = "service@quinceandbarrel.example"

#: Who works at the desks, where, and with which password.
STAFF = {"berta": "order_desk", "otto": "service_desk"}
STAFF_PASSWORD = "kettle over the blue barn"


class Traveller(Buyer):
    """Somebody who goes everywhere in the shop, and the staff whom they deal with."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.service = service
        called = {f"phone.{name}": replace(canary, field=f"phone.{name}") for name, canary in purchase().items()}
        number = card_number()
        stray = {"stray.number": Canary("stray.number", number, number)}
        self.canaries |= {**phrased(TEXTS), **called, **stray}
        self.order_desk, self.service_desk = (self._at_desk(name) for name in STAFF)
        self.secrets: dict[str, str] = {}
        self.password = "signup.password"

    def text(self, name: str) -> str:
        """What is typed for a canary."""
        return self.canaries[name].value

    def typing(self, form: str, *names: str) -> dict[str, str]:
        """The fields of a form, each with its canary: `typing("stop", "email")` is `{"email": "…"}`."""
        return {name: self.text(f"{form}.{name}") for name in names}

    def _at_desk(self, name: str) -> Customer:
        file = StaffFile(self.service.data / NAME, frozenset(STAFF.values()))
        if name not in file.members():
            file.add(name, STAFF_PASSWORD, (STAFF[name],))
        return self.browser(self.service, Authorization=_basic(name, STAFF_PASSWORD))

    def mailed(self, recipient: str, path: str) -> str:
        """The link below `path` in the latest mail to an address that has one, once it is there; as a path."""
        self.service.wait_until_all_tried()
        for mail in reversed(self.service.peers.mail.mails):
            if mail.recipients == (recipient,) and (found := re.search(rf"://[^/\s]+({path}/[\w-]+)", mail.text)):
                self.secrets[f"link {path}"] = found[1].rpartition("/")[2]
                return found[1]
        raise AssertionError(f"no mail with a link to {path} came")

    # -- account ----------------------------------------------------------------------------------

    def open_account(self) -> None:
        """Ask for an account, wrongly and rightly, follow the mailed link, and be greeted after logging out."""
        typed = self.typing("signup", "name", "email")
        assert self.customer.send("/signup", {**typed, "password": self.text("signup.long")}).status_code == 422
        asked = self.customer.send("/signup", {**typed, "password": self.text("signup.password")})
        assert asked.headers["location"] == "/signup?sent", asked.text
        path = self.mailed(typed["email"], "/signup")
        assert self.customer.send(path, {}).headers["location"] == "/account?new"
        self.customer.get("/account?new")
        self.customer.send("/logout", {})
        assert "Welcome back" in self.customer.get("/").text

    def log_in_wrongly(self) -> None:
        """Log in with an address that has no account, and with a wrong password."""
        wrong = self.typing("login", "email", "password")
        assert self.customer.send("/login", wrong).status_code == 422
        assert self.customer.send("/login", {**wrong, "email": self.text("signup.email")}).status_code == 422

    def log_in(self) -> None:
        """Log in."""
        right = {"email": self.text("signup.email"), "password": self.text(self.password)}
        assert self.customer.send("/login", right).headers["location"] == "/account?in"
        for name in ("greeting", "login"):
            self.secrets[f"cookie {name}"] = self.customer.http.cookies[name]

    def ask_for_link(self) -> None:
        """Forget the password; somebody without an account does so too."""
        for name in ("signup.email", "login.email"):
            answer = self.customer.send("/login/forgotten", {"email": self.text(name)})
            assert answer.headers["location"] == "/login/forgotten?sent"
        assert self.customer.send("/login/forgotten", {"email": self.text("login.odd")}).status_code == 422

    def reset(self) -> None:
        """Set a new password by the mailed link."""
        path = self.mailed(self.text("signup.email"), "/login/reset")
        assert self.customer.send(path, {"password": self.text("signup.long")}).status_code == 422
        self.password = "reset.password"
        assert self.customer.send(path, {"password": self.text(self.password)}).status_code == 303
        self.service.wait_until_all_tried()

    def correct(self) -> None:
        """Name and address anew, first without the street."""
        typed = self.typing("details", "name", *ADDRESS)
        assert self.customer.send("/account/details", {**typed, "city": ""}).status_code == 422
        assert self.customer.send("/account/details", typed).headers["location"] == "/account?details"
        self.customer.get("/account/details")

    def change_password(self) -> None:
        """Another password, first with a wrong one, then with one that is too long."""
        new, present = self.text("change.password"), self.text(self.password)
        for typed in (
            {"password": self.text("login.password"), "new_password": new},
            {"password": present, "new_password": self.text("signup.long")},
        ):
            assert self.customer.send("/account/password", typed).status_code == 422
        typed = {"password": present, "new_password": new}
        assert self.customer.send("/account/password", typed).headers["location"] == "/account?password"
        self.password = "change.password"

    def ask_to_move(self) -> None:
        """Another e-mail address, first with a wrong password."""
        typed = self.typing("move", "email")
        assert self.customer.send("/account/email", {**typed, "password": self.text("login.password")}).is_error
        answer = self.customer.send("/account/email", {**typed, "password": self.text(self.password)})
        assert answer.headers["location"] == "/account?moving"

    def move(self) -> None:
        """Follow the link that was mailed to the new address."""
        moved = self.customer.send(self.mailed(self.text("move.email"), "/account/email"), {})
        assert moved.headers["location"] == "/account?email"

    def wish_erasure(self) -> None:
        """Ask to be erased, as who is logged in and, by a mailed link, as who has asked something."""
        assert self.customer.send("/account/erase", {"do": "ask"}).status_code == 303
        self.customer.get("/account/erase")
        path = self.mailed(self.text("contact.email"), "/erase")
        assert self.customer.send(path, {"do": "ask"}).headers["location"] == path
        self.customer.get(path)

    def ask_for_erasure(self) -> None:
        """Have the link for it mailed: with an address that is none, that nobody has, and that is known."""
        assert self.customer.send("/erase", {"email": self.text("erase.odd")}).status_code == 422
        for name in ("login.email", "contact.email"):
            assert self.customer.send("/erase", {"email": self.text(name)}).headers["location"] == "/erase?sent"

    def take_along(self) -> None:
        """See and take along what is held: with the account, and by the link of the telephone order."""
        order = self.mailed(self.text("phone.email"), "/order")
        for customer, path in ((self.customer, "/account"), (self.browser(self.service), order)):
            assert all(customer.get(f"{path}/{page}").is_success for page in ("data", "data.json", "log"))

    # -- newsletter, objections, questions -----------------------------------------------------------

    def subscribe(self) -> None:
        """Ask for the newsletter, first without agreeing."""
        typed = self.typing("newsletter", "email")
        assert self.customer.send("/newsletter", typed).status_code == 422
        assert self.customer.send("/newsletter", {**typed, "agree": "yes"}).status_code == 303

    def confirm(self) -> None:
        """Say by the mailed link that it was they."""
        assert "You get" in self.customer.send(self.mailed(self.text("newsletter.email"), "/newsletter"), {}).text

    def stop(self) -> None:
        """Stop mail on the page for it, first without saying which."""
        typed = self.typing("stop", "email", "words")
        assert self.customer.send("/stop", typed).status_code == 422
        self._stop({**typed, "what": "other_uses"})
        self._stop({"email": self.text("signup.email"), "words": self.text("own.words"), "what": "marketing"})

    def _stop(self, typed: dict[str, str]) -> None:
        seen = self.customer.send("/stop", typed).headers["location"]
        self.secrets["number"] = seen.rpartition("/")[2]
        assert "It has stopped" in self.customer.get(seen).text

    def stop_by_link(self) -> None:
        """Stop by the link in the mail about the telephone order, with a reason that nobody asked for."""
        path, reader = self.mailed(self.text("phone.email"), "/stop"), self.browser(self.service)
        assert reader.send(path, {"words": self.text("link.words")}).status_code == 422
        typed = {"what": "marketing", "words": self.text("link.words")}
        assert reader.send(path, typed).headers["location"] == path
        assert "This has stopped" in reader.get(path).text

    def ask(self) -> None:
        """Ask on the page for it, first with a link that leads nowhere; and once with the account's own address."""
        typed = self.typing("contact", "name", "email", "text")
        assert self.customer.send("/contact", {**typed, "link": self.text("contact.link")}).status_code == 422
        assert self.customer.send("/contact", typed).status_code == 303
        own = {"email": self.text("signup.email"), "text": self.text("own.text")}
        assert self.customer.send("/contact", own).status_code == 303

    def answer(self, *questions: str) -> None:
        """The service desk answers the questions with these texts; the answer to each is too long at first."""
        page = self.service_desk.get("/desk/requests").text
        for name in questions:
            article = next(a for a in page.split("<article")[1:] if self.canaries[name].core in a)
            found = re.search(r'href="(/desk/requests/[^"]+)"', article)
            assert found
            assert self.service_desk.send(found[1], {"answer": self.text("answer.long")}).status_code == 422
            assert self.service_desk.send(found[1], {"answer": self.text("answer.text")}).status_code == 303
            self.service_desk.get(found[1])

    # -- orders -----------------------------------------------------------------------------------

    def order(self) -> None:
        """Fill the cart with something of each maker, and order; first with a card that has run out."""
        words = self.text("cart.words")
        self.customer.http.cookies.set("cart", f"{words}-2.cheddar-{words}")
        assert self.customer.send("/cart", {"sku": words, "quantity": words}, page="/products/comte").status_code == 422
        self.customer.http.cookies.delete("cart")
        assert self.checkout(card_expiry="13/99").status_code == 422
        answer = self.checkout(newsletter="yes")
        self.secrets["order"] = answer.headers["location"].rpartition("/")[2]
        assert answer.status_code == 303

    def call(self) -> None:
        """Order by telephone, by the other carrier; at first the desk forgets the city."""
        page = self.order_desk.get("/desk/phone")
        typed = {**self.called(), "csrf": hidden(page, "csrf"), "ticket": hidden(page, "ticket")}
        assert self.order_desk.send("/desk/phone", {**typed, "city": ""}).status_code == 422
        answer = self.order_desk.send("/desk/phone", typed)
        assert answer.status_code == 303, answer.text
        self.order_desk.get(answer.headers["location"])
        self.secrets["telephone order"] = answer.headers["location"].rpartition("/")[2]

    def called(self) -> dict[str, str]:
        """What the desk types in of a call: who, where to, the card, and something of our own and of each maker."""
        typed = {name.removeprefix("phone."): c.value for name, c in self.canaries.items() if name.startswith("phone.")}
        goods = {f"of_{sku}": "3" for sku in ("comte", "cheddar", "lemonoil", "duck")}
        return {**typed, **goods, "carrier": "fedex"}

    def object_by_phone(self) -> None:
        """Somebody calls who wants no more mail; at first the desk forgets what."""
        typed = self.typing("caller", "email", "words")
        assert self.order_desk.send("/desk/objection", typed).status_code == 422
        assert self.order_desk.send("/desk/objection", {**typed, "what": "mail"}).status_code == 200

    # -- mail to the shop, strangers at the desk -----------------------------------------------------

    def write_in(self, expected: int = 250) -> None:
        """Write to the published address: a question, and an objection."""
        mail = EmailMessage()
        mail["From"] = f'"{self.text("mail.name")}" <{self.text("mail.email")}>'
        mail["To"], mail["Cc"], mail["Reply-To"] = PUBLISHED, self.text("mail.copied"), self.text("mail.copied")
        mail["Subject"] = self.text("mail.subject")
        mail["X-Mailer"] = self.text("mail.header")
        mail["Received"] = f"from {self.text('mail.host')} by here"
        mail["Message-ID"] = f"<1.2@{self.text('mail.host')}>"
        mail.set_content(f"{self.text('mail.text')}\n\n> {self.text('mail.quoted')}\n")
        mail.add_attachment(self.text("mail.attached"), filename=f"{self.canaries['mail.attached'].core}.txt")
        assert self._send(mail) == expected
        mail = EmailMessage()
        mail["From"] = f'"{self.text("objector.name")}" <{self.text("objector.email")}>'
        mail["To"] = PUBLISHED
        mail.set_content(self.text("objector.words"))
        assert self._send(mail) == expected

    def _send(self, mail: EmailMessage) -> int:
        sender = self.text("mail.envelope")
        with smtplib.SMTP("127.0.0.1", self.service.inbox, self.text("mail.host"), timeout=20) as session:
            try:
                session.sendmail(sender, [PUBLISHED], mail.as_bytes())
            except smtplib.SMTPDataError as error:
                return int(error.smtp_code)
        return 250

    def knock(self) -> None:
        """Come to the desks with a name and a password that nobody has, and with a wrong password."""
        name, password = self.text("staff.name"), self.text("staff.password")
        for header in (_basic(name, password), _basic("berta", password), f"Basic {name}", f"Bearer {password}"):
            for path in ("/desk", "/desk/phone"):
                assert self.customer.get(path, Authorization=header).status_code == 401
        self.order_desk.get("/desk/phone")  # the right password again, so that berta need not wait
        self.order_desk.get("/desk/report")

    # -- wrong everywhere ---------------------------------------------------------------------------

    def type_card_everywhere(self) -> None:
        """A card number in every field that takes words of one's own, and in a mail: nothing of it is kept."""
        number = self.text("stray.number")
        for path, names in OPEN_FIELDS.items():
            for name in names:
                rest = {other: "Ann" for other in names if other != name}
                page = "/products/comte" if path == "/cart" else path  # an empty cart has no form
                answer = self.customer.send(path, {**rest, **FITTING.get(path, {}), name: number}, page=page)
                assert answer.status_code in (403, 422), (path, name, answer.status_code)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"{number} <a@b.example>", PUBLISHED, number
        mail.set_content(f"My card is {number}, where is my parcel?")
        assert self._send(mail) == 550

    def send_forged(self) -> None:
        """Every form without its hidden number, and once far too large."""
        everything = {name.rpartition(".")[2]: canary.value for name, canary in self.canaries.items()}
        for path in ("/signup", "/login", "/login/forgotten", "/newsletter", "/stop", "/contact", "/checkout", "/cart"):
            assert self.customer.http.post(path, data=everything).status_code == 403
        for path in ("/desk/phone", "/desk/objection"):
            assert self.order_desk.http.post(path, data=everything).status_code == 403
        large = {name: value * 2000 for name, value in everything.items()}
        assert self.customer.http.post("/contact", data=large).status_code == 413
        assert self.order_desk.http.post("/desk/phone", data=large).status_code == 413

    def get_lost(self) -> None:
        """Secret links that lead nowhere, and canaries as paths, with each method."""
        core = self.canaries["contact.link"].core
        for path in ("/signup", "/login/reset", "/newsletter", "/stop", "/survey", "/order", "/stop/seen", "/nowhere"):
            self._lose(self.customer.get(f"{path}/{core}?q={core}"))
        self._lose(self.customer.http.request("BREW", f"/contact?q={core}", content=core.encode()))

    def _lose(self, answer: httpx.Response) -> None:
        # What stands in the address is the visitor's own, and the answer may speak of it; log and folder may not.
        self.seen.remove(answer)

    # -- all of it --------------------------------------------------------------------------------

    def everywhere(self) -> None:
        """Every step, each mailed link followed."""
        self.open_account()
        self.log_in_wrongly()
        self.log_in()
        self.ask_for_link()
        self.reset()
        self.correct()
        self.change_password()
        self.subscribe()
        self.confirm()
        self.order()
        self.call()
        self.object_by_phone()
        self.ask()
        self.write_in()
        self.answer("contact.text", "own.text", "mail.text")
        self.stop()
        self.customer.get("/account")
        self.take_along()
        self.ask_to_move()
        self.move()
        self.ask_for_erasure()
        self.wish_erasure()
        self.customer.get("/account")
        self.knock()
        self.service.wait_until_all_tried()
        self.customer.get(f"/order/{self.secrets['order']}")
        self.order_desk.get(f"/desk/phone/{self.secrets['telephone order']}")

    def as_far_as_it_goes(self) -> None:
        """The steps that need no mail to arrive, by somebody who is logged in."""
        self.ask_for_link()
        self.correct()
        self.ask_to_move()
        self.subscribe()
        self.order()
        self.call()
        self.ask()
        self.write_in()
        self.answer("contact.text", "own.text", "mail.text")
        self.stop()
        self.ask_for_erasure()
        self.customer.get("/account")

    def forms(self) -> Iterator[tuple[Customer, str, dict[str, str]]]:
        """Each form that keeps something, rightly filled in: the browser, the path, and what is typed."""
        signup = {"name": self.text("details.name"), "email": self.text("move.email")}
        yield self.customer, "/signup", {**signup, "password": self.text("change.password")}
        yield self.customer, "/login", {"email": self.text("signup.email"), "password": self.text(self.password)}
        yield self.customer, "/login/forgotten", {"email": self.text("signup.email")}
        yield self.customer, "/account/details", self.typing("details", "name", *ADDRESS)
        passwords = {"password": self.text(self.password), "new_password": self.text("change.password")}
        yield self.customer, "/account/password", passwords
        yield self.customer, "/account/email", {**self.typing("move", "email"), "password": self.text(self.password)}
        yield self.customer, "/account/erase", {"do": "ask"}
        yield self.customer, "/newsletter", {**self.typing("newsletter", "email"), "agree": "yes"}
        yield self.customer, "/stop", {**self.typing("stop", "email", "words"), "what": "mail"}
        yield self.customer, "/contact", self.typing("contact", "name", "email", "text")
        yield self.order_desk, "/desk/phone", {**self.called(), "ticket": self.canaries["link.words"].core}
        yield self.order_desk, "/desk/objection", {**self.typing("caller", "email", "words"), "what": "mail"}


@contextmanager
def travelling(service: Service) -> Iterator[Traveller]:
    """A traveller with new canaries."""
    traveller = Traveller(service)
    try:
        yield traveller
    finally:
        traveller.close()


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

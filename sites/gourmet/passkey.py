"""Passkeys (W3C Web Authentication): the browser proves with a key of its own who it is, instead of a password.

The script `static/passkey.js` asks the browser and puts its answer into an ordinary form. What the browser signs holds
a challenge: a moment, a random number, and the shop's keyed hash over both and over what it is for. So none is stored;
an answer is good for a few minutes, and a second time it logs nobody in.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Mapped

from avow import Sealed, Work, owner, personal, plain
from avow.edge import form as ask
from avow.edge.form import Form

from .shop import site

if TYPE_CHECKING:
    from .account import Account

#: Seconds within which the browser has to answer.
GOOD = 600

#: The most passkeys of one account.
MOST = 10


class Passkey(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One passkey of one customer: how it is called, and its public half."""

    __tablename__ = "shop_passkey"
    __label__ = "A passkey"

    customer: Mapped[str] = owner()
    credential: Mapped[Sealed] = personal("account.passkey", field="passkey.credential", lookup="exact")
    key: Mapped[Sealed] = personal("account.passkey", field="passkey.key")
    count: Mapped[int] = plain("how often it was used, as it tells itself: one that was copied falls behind")


class Answer(Form):
    """What the browser answered: filled in by the script."""

    passkey = ask.text("account.passkey", "Passkey", maximum=8000, echo=False)
    to = ask.text(None, "Onward", maximum=20, required=False)


class Remove(Form):
    """Which passkey is to go."""

    id = ask.text(None, "Passkey", maximum=32)


def party(work: Work) -> str:
    """The name that passkeys of this shop are made for: the one that it was asked for under."""
    return urlsplit(work.origin).hostname or ""


def possible(work: Work) -> bool:
    """Whether passkeys can be made here: they go with a name, and an address of the network is none."""
    try:
        ip_address(party(work))
    except ValueError:
        return bool(party(work))
    return False


def of(work: Work, account: Account) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    return sorted(work.select(Passkey, Passkey.customer == account.customer), key=lambda key: key.key.hour)


def challenge(work: Work, what: str) -> str:
    """A challenge for the browser to sign, good for `what` (`login`, or `add` and the account) and for a while."""
    head = f"{int(work.now) + GOOD}.{secrets.token_urlsafe(24)}"
    return f"{head}.{work.fingerprint(f'passkey {what} {head}')}"


def is_good(work: Work, text: str, what: str) -> bool:
    """Whether a challenge is one of ours for this, and not too old."""
    head, _, mark = text.rpartition(".")
    until = head.partition(".")[0]
    genuine = compare_digest(work.fingerprint(f"passkey {what} {head}").encode(), mark.encode("utf-8", "replace"))
    return genuine and until.isdecimal() and work.now < int(until)


# -- making and removing one --------------------------------------------------------------------------


def add(work: Work, account: Account, form: Form) -> bool:
    """Keep a new passkey of an account; False if the browser's answer is not in order."""
    from webauthn import verify_registration_response

    known = of(work, account)
    text = _opened(form)
    signed = _challenge_in(text)
    if signed is None or len(known) >= MOST or not is_good(work, signed, f"add {account.customer}"):
        return False
    made = _verified(verify_registration_response, work, text, signed, {})
    if made is None or work.select(Passkey, Passkey.credential == _text(made.credential_id)):
        return False
    work.collect(
        Passkey,
        person=account.avow_person,
        credential=_text(made.credential_id),
        key=_text(made.credential_public_key),
        count=made.sign_count,
    )
    return True


def remove(work: Work, account: Account, form: Form) -> None:
    """Remove one passkey of an account."""
    for known in of(work, account):
        if known.id == form["id"]:
            work.remove(known)


# -- logging in with one ------------------------------------------------------------------------------


def signer(work: Work, form: Form) -> tuple[Passkey | None, str]:
    """The passkey that has signed a challenge of ours for logging in, or None; and that challenge."""
    text = _opened(form)
    signed = _challenge_in(text)
    if signed is None or not is_good(work, signed, "login"):
        return None, ""
    return _signer(work, text, signed), signed


def _signer(work: Work, text: str, signed: str) -> Passkey | None:
    from webauthn import verify_authentication_response

    known: Passkey
    for known in work.select(Passkey, Passkey.credential == _credential_in(text)):
        with_key = {"credential_public_key": _bytes(known.key.open()), "credential_current_sign_count": known.count}
        seen = _verified(verify_authentication_response, work, text, signed, with_key)
        if seen is not None:
            work.update(known, count=seen.new_sign_count)
            return known
    return None


def _verified(verify: Callable[..., Any], work: Work, text: str, signed: str, more: dict[str, Any]) -> Any | None:
    """What the library makes of the browser's answer; None if anything about it is wrong."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify(
            credential=text,
            expected_challenge=signed.encode(),
            expected_rp_id=party(work),
            expected_origin=work.origin,
            require_user_verification=True,
            **more,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):  # the answer is text of anybody's making
        return None


def _opened(form: Form) -> str:
    given = form["passkey"]
    return given.open() if isinstance(given, Sealed) else ""


def _challenge_in(text: str) -> str | None:
    """The challenge that the browser says it has signed; whether it has, is verified afterwards."""
    try:
        client = json.loads(_bytes(str(json.loads(text)["response"]["clientDataJSON"])))
        return _bytes(str(client["challenge"])).decode("ascii")
    except (ValueError, KeyError, TypeError):
        return None


def _credential_in(text: str) -> str:
    try:
        return _text(_bytes(str(json.loads(text)["rawId"])))
    except (ValueError, KeyError, TypeError):
        return ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

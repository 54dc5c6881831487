"""Ways in which any peer of the shop may fail, whatever it speaks; the worst repeat what they were told."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable

from tests.campaigns.journeys import Traveller
from tests.campaigns.tapped import (
    TappedCarrier,
    TappedHttpsSupplier,
    TappedMailbox,
    TappedProcessor,
    TappedSftpSupplier,
)

AnyPeer = TappedProcessor | TappedCarrier | TappedHttpsSupplier | TappedMailbox | TappedSftpSupplier


def _down(peer: AnyPeer, traveller: Traveller) -> None:
    peer.down = True


def _nonsense(peer: AnyPeer, traveller: Traveller) -> None:
    if isinstance(peer, TappedSftpSupplier):
        peer.turn(b"\n".join(f"Hello {text}".encode() for text in _cores(traveller)))
    else:
        peer.nonsense = True


def _midway(peer: AnyPeer, traveller: Traveller) -> None:
    peer.fails_midway = True


def _repeats(peer: AnyPeer, traveller: Traveller) -> None:
    """In whatever it can say: the words of a status, headers, a body, the text of a refusal."""
    cores = _cores(traveller)
    if isinstance(peer, TappedSftpSupplier):
        peer.says = {"posix_rename": " ".join(cores), "rename": " ".join(cores)}
    elif isinstance(peer, TappedMailbox):
        peer.nonsense = f"554 {' '.join(cores)}".encode()
    else:
        head = "".join(
            f"X-{number}: {urllib.parse.quote(canary.value)}\r\nX-Raw-{number}: {canary.core}\r\n"
            for number, canary in enumerate(traveller.canaries.values())
        )
        body = json.dumps({"error": [canary.value for canary in traveller.canaries.values()]})
        peer.nonsense = f"HTTP/1.1 500 {cores[0]}\r\n{head}Connection: close\r\n\r\n{body}".encode()


def _refuses(peer: AnyPeer, traveller: Traveller) -> None:
    """For good, with the address in its words."""
    words = ", ".join(traveller.text(name) for name in ("name", "email", "street", "phone.name", "phone.email"))
    if isinstance(peer, TappedSftpSupplier):
        peer.says = {"open": words, "write": words}
    elif isinstance(peer, TappedMailbox):
        cores = " ".join(traveller.canaries[name].core for name in ("email", "contact.email", "newsletter.email"))
        peer.declines = f"550 5.1.1 <{traveller.text('email')}>: no such user, nor {cores}"
    else:
        body = json.dumps({"error": f"we do not go to {words}"})
        peer.nonsense = f"HTTP/1.1 422 {traveller.canaries['email'].core}\r\nConnection: close\r\n\r\n{body}".encode()


def _cores(traveller: Traveller) -> list[str]:
    return [canary.core for canary in traveller.canaries.values()]


#: By what a peer does: the function that makes it do so.
FAULTS: dict[str, Callable[[AnyPeer, Traveller], None]] = {
    "is down": _down,
    "talks nonsense": _nonsense,
    "repeats all it was told": _repeats,
    "hangs up midway": _midway,
    "refuses, with the address": _refuses,
}

"""The process of the peers.

When everything listens it prints one line of JSON: {"ready": true, "ca": path, "page": url, "endpoints": {name: url}},
where in place of a URL stands a mapping if more is needed to log in (see `avow.outbound.address`).
It ends when its standard input closes, so that it cannot outlive the process that started it. Everything listens on
127.0.0.1; what arrives is kept in memory; the folder holds certificates and keys, made anew at each start.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from avow.errors import AvowError
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.mailbox import Mailbox
from avow.testing.peers.allowed import Permissions
from avow.testing.peers.page import Page
from avow.testing.supplier import HttpsSupplier, Supplier
from avow.testing.supplier_mail import MailSupplier

if TYPE_CHECKING:
    from avow.testing.peers.page import AnyPeer


def main(arguments: list[str] | None = None) -> int:
    """Run until standard input closes; the exit status."""
    options = _options().parse_args(arguments)
    try:
        with contextlib.ExitStack() as stack:
            _start(options, stack)
            while sys.stdin is not None and sys.stdin.buffer.read(4096):
                pass
    except AvowError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"error: the folder {options.data} cannot be used: {error.strerror}\n")
        return 1
    except KeyboardInterrupt:
        # Ctrl-C reaches everything that the terminal started; whoever started the peers speaks for them.
        return 130
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m avow.testing.peers", description="Test peers on 127.0.0.1.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder for certificates")
    parser.add_argument("--port-base", type=int, default=0, metavar="PORT", help="first port of a row; 0: free ones")
    parser.add_argument("--card", action="append", default=[], metavar="NAME", help="a card processor")
    parser.add_argument("--https", action="append", default=[], metavar="NAME", help="a recipient of fields over HTTPS")
    parser.add_argument("--order-https", action="append", default=[], metavar="NAME", help="a supplier over HTTPS")
    parser.add_argument("--order-sftp", action="append", default=[], metavar="NAME", help="a supplier over SFTP")
    parser.add_argument("--order-mail", action="append", default=[], metavar="NAME", help="a supplier by mail")
    parser.add_argument("--mail", action="append", default=[], metavar="NAME", help="a mailbox for everybody")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="name the sentences of this policy on the page")
    parser.add_argument("--site", default="", metavar="URL", help="how the service of that policy is reached")
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help="a field to name where missing")
    return parser


def _start(options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.create(options.data)
    base = options.port_base
    ports = iter(range(base, base + 1000) if base else [0] * 1000)

    def sftp_supplier(name: str, port: int) -> AnyPeer:
        from avow.testing.supplier_sftp import SftpSupplier  # a third of a second that only this kind needs

        return SftpSupplier(options.data, name=name, port=port)

    kinds: tuple[tuple[Callable[[str, int], AnyPeer], list[str]], ...] = (
        (lambda name, port: CardProcessor(authority, name=name, port=port), options.card),
        (lambda name, port: Carrier(authority, name=name, port=port), options.https),
        (lambda name, port: HttpsSupplier(authority, name=name, port=port), options.order_https),
        (sftp_supplier, options.order_sftp),
        (lambda name, port: MailSupplier(authority, name=name, port=port), options.order_mail),
        (lambda name, port: Mailbox(authority, name=name, port=port), options.mail),
    )
    peers = [make(name, next(ports)) for make, names in kinds for name in names]
    for peer in peers:
        stack.enter_context(peer)
    permissions = _permissions(options.policy, options.site) if options.policy else None
    page = stack.enter_context(Page(peers, options.category, port=next(ports), permissions=permissions))
    endpoints = {peer.name: peer.address if isinstance(peer, Supplier) else peer.url for peer in peers}
    ready = {"ready": True, "ca": str(authority.ca), "page": page.url, "endpoints": endpoints}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


def _permissions(policy: Path, site: str) -> Permissions:
    from avow.engine import Policy  # a tenth of a second that only the page needs

    return Permissions(Policy.load(policy), site)


if __name__ == "__main__":
    sys.exit(main())

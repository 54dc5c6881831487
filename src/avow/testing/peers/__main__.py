"""The process of the peers.

When everything listens it prints one line of JSON: {"ready": true, "ca": path, "page": url, "endpoints": {name: url}}.
It ends when its standard input closes, so that it cannot outlive the process that started it. Everything listens on
127.0.0.1; what arrives is kept in memory; the folder holds certificates, made anew at each start.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from avow.errors import AvowError
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.mailbox import Mailbox
from avow.testing.peers.page import Page


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
    parser.add_argument("--mail", action="append", default=[], metavar="NAME", help="a mailbox for everybody")
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help="a field to name where missing")
    return parser


def _start(options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.create(options.data)
    base = options.port_base
    ports = iter(range(base, base + 1000) if base else [0] * 1000)

    peers: list[CardProcessor | Carrier | Mailbox] = []
    kinds: tuple[tuple[type[CardProcessor | Carrier | Mailbox], list[str]], ...] = (
        (CardProcessor, options.card),
        (Carrier, options.https),
        (Mailbox, options.mail),
    )
    for kind, names in kinds:
        for name in names:
            peers.append(kind(authority, name=name, port=next(ports)))
            stack.enter_context(peers[-1])
    page = stack.enter_context(Page(peers, options.category, port=next(ports)))
    endpoints = {peer.name: peer.url for peer in peers}
    ready = {"ready": True, "ca": str(authority.ca), "page": page.url, "endpoints": endpoints}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

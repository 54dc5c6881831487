"""`avow serve`: open a site and serve it.

Plain HTTP is served on loopback only; anywhere else a certificate and key are needed, and then it is
TLS 1.2 or newer and nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from avow.errors import SetupError
from avow.keys.device import PIN_VARIABLE

#: Seconds that requests under way have when the service is stopped: longer than a recipient may take to answer.
#: A browser that keeps its connection open would hold the service up for as long as it likes.
LAST_ANSWERS = 12

#: Seconds between integrations of the ledger where somebody tries a site on their own computer, and wants to see them.
DEMONSTRATED = 10.0

if TYPE_CHECKING:
    from avow.language.frontmatter import Recipient
    from avow.outbound.address import Address
    from avow.site import Site
    from avow.site.demo import Examples
    from avow.site.opened import Opened


def serve(
    folder: Path,
    *,
    host: str,
    port: int,
    base: str | None,
    data: Path,
    store: str | None,
    local_peers: bool,
    cert: Path | None,
    key: Path | None,
    endpoints: Path | None,
    ca: Path | None,
    inbox: str | None,
    safe: Path | None,
    device: str | None,
    demo: bool,
    ledger_every: float | None,
    formerly: str | None,
) -> int:
    """Serve the site in `folder` until it is interrupted; the exit status.

    Raises:
        AvowError: why it cannot be served. Nothing was started then.
    """
    from avow.outbound.address import read_addresses

    scheme = "https" if _tls(host, cert, key) else "http"
    _check_base(base, host, scheme)
    listener = _listen(host, port)
    base = base or f"{scheme}://{_spelled(host)}:{listener.getsockname()[1]}"
    try:
        site = load_site(folder)
        new = not (data / "keyring").exists()
        peers = _start_peers(site, data, base) if local_peers else None
        try:
            reached = peers.endpoints if peers else read_addresses(endpoints) if endpoints else {}
            if inbox is None and local_peers and site.mailroom is not None:
                inbox = "127.0.0.1:0"
            opened = site.open(
                data,
                store=store,
                endpoints=reached,
                ca=peers.ca if peers else ca,
                base=base,
                inbox=inbox,
                safe=safe,
                device=device,
                formerly=formerly,
                ledger_every=_every(ledger_every, local_peers),
                inbox_tls=_server_tls(cert, key) if inbox is not None else None,
            )
            examples = _examples(site, base, listener, cert) if demo and new and local_peers else None
            try:
                member = _first_member(site, opened) if local_peers else None
                _announce(opened, base, peers, member, examples=examples is not None)
                if examples:
                    examples.start()
                _run(opened, listener, cert, key)
            finally:
                if examples:
                    examples.stop()
                site.close()
        finally:
            if peers:
                peers.stop()
    finally:
        listener.close()
    return 0


def load_site(folder: Path) -> Site:
    """Import `app.py` of a site's folder and return its `site`.

    Raises:
        SetupError: there is no such file, or it declares no site.
    """
    from avow.site import Site

    folder = folder.resolve()
    if not (folder / "app.py").is_file():
        raise SetupError(f"`{folder}` has no app.py", help="name the folder of a site: policy.md, app.py, pages")
    sys.path.insert(0, str(folder.parent))
    try:
        module = importlib.import_module(f"{folder.name}.app")
    finally:
        sys.path.remove(str(folder.parent))
    site = getattr(module, "site", None)
    if not isinstance(site, Site):
        raise SetupError(f"`{folder / 'app.py'}` declares no site", help='it needs: site = Site("policy.md", …)')
    return site


def _every(given: float | None, local_peers: bool) -> float:
    from avow.ledger.sequencer import EVERY

    return given if given is not None else DEMONSTRATED if local_peers else EVERY


def _tls(host: str, cert: Path | None, key: Path | None) -> bool:
    if (cert is None) != (key is None):
        raise SetupError("TLS needs both --cert and --key")
    if cert is None and not _is_loopback(host):
        raise SetupError(
            f"plain HTTP is served on loopback only, not on `{host}`",
            help="give --cert and --key, or listen on 127.0.0.1",
        )
    for file in (cert, key):
        if file is not None and not file.is_file():
            raise SetupError(f"there is no file `{file}`", help="--cert and --key take PEM files")
    return cert is not None


def _check_base(base: str | None, host: str, scheme: str) -> None:
    """Requests under any other name than the site's own are turned away, so it has to be one."""
    if base is None:
        if host in ("0.0.0.0", "::"):  # noqa: S104  # refused, not listened on
            raise SetupError(
                f"`{host}` is every address of this machine, and no name to be reached under",
                help="say how the site is reached: --base https://shop.example",
            )
        return
    try:
        parts = urlsplit(base)
        whole = bool(parts.hostname) and (parts.port or 1) > 0 and base == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        whole, parts = False, urlsplit("")
    if not whole or parts.scheme != scheme or parts.username is not None:
        raise SetupError(
            f"`{base}` is not how this site can be reached",
            help=f"name it like {scheme}://shop.example, without a path",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio would not switch off Nagle's delay: 40 ms for each page on a kept connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise SetupError(
            f"cannot listen on {host}:{port}: {error.strerror}", help="take another port with --port (or PORT=…)"
        ) from None
    return listener


@dataclass
class _Peers:
    """The local card processor, carriers and mailbox: a process of their own, ended with this one."""

    process: subprocess.Popen[str]
    endpoints: Mapping[str, Address]
    ca: Path
    page: str

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()  # the peers end when their parent's end of the pipe does
        self.process.wait(timeout=10)


def _start_peers(site: Site, data: Path, base: str) -> _Peers:
    from avow.outbound.address import MAIL, Address

    policy = site.policy
    arguments = ["--data", str(data / "peers"), "--policy", str(site.policy_file), "--site", base]
    for name, recipient in policy.recipients.items():
        if recipient.fields and name not in site.by_hand:
            arguments += [_kind_of_peer(recipient), name]
    if policy.messages:
        arguments += ["--mail", MAIL]
    for category in policy.vocabulary.words["category"]:
        arguments += ["--category", category]  # so that their page can say what did not arrive
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603  # our own module, by the running interpreter
        [sys.executable, "-m", "avow.testing.peers", *arguments],
        env={name: value for name, value in os.environ.items() if name != PIN_VARIABLE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt at the terminal ends this process, which then ends them
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        ready: dict[str, Any] = json.loads(line)
    except ValueError:
        process.wait(timeout=10)
        raise SetupError("the local peers did not start", help="see what they printed above") from None
    reached = {name: Address.of(value) for name, value in ready["endpoints"].items()}
    return _Peers(process, reached, Path(ready["ca"]), ready["page"])


def _kind_of_peer(recipient: Recipient) -> str:
    """Which local peer stands for a recipient, by what it gets and how: card data, a label, or an order to fill."""
    kinds = {field.partition(".")[0] for field in recipient.fields}
    if "card" in kinds:
        return "--card"
    if "sftp" in recipient.channels[:1]:
        return "--order-sftp"
    if "smtps" in recipient.channels[:1]:
        return "--order-mail"
    return "--order-https" if "order" in kinds else "--https"


def _first_member(site: Site, opened: Opened) -> tuple[str, str] | None:
    """On one's own computer somebody has to be able to look at the desks: name and password, made once."""
    from avow.site.staff_file import NEW_MEMBER, new_password

    if not site.desks or opened.staff_file.path.exists():
        return None
    password = new_password()
    roles = {role for roles in site.desks.values() for role in roles}
    opened.staff_file.add(NEW_MEMBER, password, tuple(sorted(roles)))
    return NEW_MEMBER, password


def _examples(site: Site, base: str, listener: socket.socket, cert: Path | None) -> Examples | None:
    """What makes the examples of a site that has some: it comes in by the door, as everybody does."""
    from avow.site.demo import Examples
    from avow.testing.visitor import Visitor

    if site.examples is None:
        return None
    host, port = listener.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # the other way round
    return Examples(
        site,
        lambda: Visitor(base, address=(here, port), certificate=cert),
        lambda line: print(line, file=sys.stderr, flush=True),
    )


def _announce(
    opened: Opened, base: str, peers: _Peers | None, member: tuple[str, str] | None, *, examples: bool
) -> None:
    site = opened.site
    print(f"{site.policy.title}\n  the site          {base}/\n  its policy        {base}/privacy")
    if site.desks:
        print(f"  its desks         {base}{min(site.desks, key=len)}")
    if member:
        print(f"                    name {member[0]}, password {member[1]}  (shown this once; `avow staff` changes it)")
    if opened.inbox is not None:
        print(f"  mail to it        smtp://{_spelled(opened.inbox.host)}:{opened.inbox.port}")
    if peers:
        print(f"  what left it      {peers.page}")
    elif opened.directory.sends_mail:
        print("  its signatures    the DNS must say, for mails to be believed:")
        for record in opened.signer.records():
            print(f"                    {record}")
    if examples:
        print("  examples          a few, of nobody real, come in a moment: see the desks, and what left it")
    print("Stop with Ctrl-C.", flush=True)


def _server_tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None or key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError):
        raise SetupError(f"`{cert}` and `{key}` are no certificate and its key", help="give PEM files") from None
    return context


def _run(opened: Opened, listener: socket.socket, cert: Path | None, key: Path | None) -> None:
    import uvicorn

    config = uvicorn.Config(
        opened.app,
        log_level="warning",
        access_log=False,  # it would hold addresses and query strings
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=LAST_ANSWERS,
        ssl_certfile=cert,
        ssl_keyfile=str(key) if key else None,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    server = uvicorn.Server(config)
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    server.run(sockets=[listener])

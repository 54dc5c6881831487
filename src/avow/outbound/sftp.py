"""Files over SFTP to one declared server, whose host key is known beforehand.

A file is written under another name, made durable where the server can, and then renamed: who looks into the folder
sees a whole file or none. Its name is that of the attempt, so that the same attempt again is the same file; one that
lies there already is left alone.

    channel = SftpChannel("sftp://cellar.example/orders", user="shop", key=Path("cellar.key"), host_key="SHA256:…")
    channel.put("4f1c.jsonl", b"…")

Nothing is taken from the user's own ~/.ssh, from an agent or from the environment. Needs asyncssh (`avow[sftp]`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import asyncssh

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, SetupError, Unreachable
from avow.outbound.address import read_owned
from avow.outbound.endpoint import Deadline, Endpoint
from avow.outbound.tls import why

#: What may be agreed, best first. GCM before ChaCha20: the latter can be cut at its beginning where a server lacks
#: strict key exchange (CVE-2023-48795). Names of RFC 8731, 8709, 5647 and of OpenSSH.
KEY_EXCHANGES = ("curve25519-sha256", "curve25519-sha256@libssh.org")
HOST_KEYS = ("ssh-ed25519",)
CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")  # named, and not used with these ciphers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

# What a server says "no" with, and will say again.
_REFUSED = (
    asyncssh.SFTPNoSuchFile,
    asyncssh.SFTPNoSuchPath,
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.SFTPOpUnsupported,
    asyncssh.SFTPNotADirectory,
    asyncssh.SFTPInvalidFilename,
)

for _name in ("asyncssh", "asyncssh.sftp"):
    # Its lines name users, hosts and files, at debug level also what was said. A filter stays; a level is reset.
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.ERROR)


class SftpChannel:
    """One folder of one server. Safe to share between threads.

    `key` is the file of an Ed25519 private key, without passphrase, readable by its owner only. `host_key` is the
    server's: the fingerprint `SHA256:…` or the public key line. `timeout` is seconds for a whole delivery. The folder
    of the URL is absolute; `/~/orders` is one below the login folder, and no path is the login folder itself.

    Raises SetupError for another URL, for a key that cannot be used, and for a host key that is none.
    """

    #: The schemes that an address may have, with their usual ports.
    SCHEMES: ClassVar[Mapping[str, int]] = {"sftp": 22}

    def __init__(self, url: str, *, user: str, key: Path, host_key: str, timeout: float = 10.0) -> None:
        self.endpoint = Endpoint.parse(url, self.SCHEMES)
        self.timeout = timeout
        self.fingerprint = fingerprint(host_key)
        self._options = _options(user, _private_key(key))
        self._folder = _folder(self.endpoint.path)
        try:
            asyncssh.SSHClientConnectionOptions(**self._options)
        except ValueError as error:
            raise SetupError(f"SFTP to {self.endpoint} cannot be set up: {error}") from None

    def put(self, name: str, content: bytes) -> bool:
        """Let the folder hold a file of this name and content; False if one of this name was there already.

        `name` is 1 to 120 letters, digits, dots, dashes and underscores, and tells nothing about anybody. Raises
        Rejected (another host key, login refused, folder or file refused: the same again is refused again),
        Unreachable (nothing was sent) or OutcomeUnknown (something was, and the file may be there or not).
        """
        if not _NAME.fullmatch(name):
            raise SetupError("the name of a file that is sent is letters, digits, dots, dashes and underscores")
        visit = _Visit(self.fingerprint)
        failure = self._deliver(visit, name, content)
        # Raised here, outside of every handler: the library's errors quote the server, and must not hang on to ours.
        if failure is not None:
            raise failure
        return visit.written

    def _deliver(self, visit: _Visit, name: str, content: bytes) -> DeliveryError | None:
        deadline = Deadline(self.timeout)
        try:
            line = socket.create_connection((self.endpoint.host, self.endpoint.port), deadline.left())
        except OSError as error:
            return self._failure(visit, why(error))
        try:
            line.setblocking(False)
            # In asyncio's debug mode the log shows how tasks end: with errors in the words of the server.
            with asyncio.Runner(debug=False) as runner:
                runner.run(self._within(deadline, visit, line, name, content))
        except asyncssh.HostKeyNotVerifiable:
            return Rejected(
                f"{self.endpoint} shows the host key {visit.shown or 'of a kind that is not used'}, "
                f"not the configured {self.fingerprint}; nothing was sent",
                help="ask the recipient, on another way, whether its key was changed; only then configure the new one",
            )
        except asyncssh.KeyExchangeFailed:
            return Rejected(
                f"{self.endpoint} offers no up-to-date encryption (curve25519, ssh-ed25519, AES-GCM or ChaCha20) "
                "in common; nothing was sent"
            )
        except asyncssh.PermissionDenied:
            return Rejected(
                f"{self.endpoint} refused the login of the configured user with the configured key; nothing was sent",
                help="ask the recipient whether it knows the public key of this user",
            )
        except _REFUSED:
            return Rejected(
                f"{self.endpoint} refused the {'file' if visit.sent else 'folder'}; the same again is refused again",
                help="check that the folder in the address exists, and that the user may write and rename there",
            )
        except asyncssh.ConnectionLost:
            return self._failure(visit, "the connection was lost")
        except asyncssh.Error:
            return self._failure(visit, "it could not do that now")
        except (OSError, ValueError, EOFError) as error:
            return self._failure(visit, why(error))
        finally:
            line.close()
        return None

    def _failure(self, visit: _Visit, reason: str) -> DeliveryError:
        if visit.sent:
            return OutcomeUnknown(f"{self.endpoint} was sent the file, but {reason}")
        return Unreachable(f"{self.endpoint} could not be reached: {reason}; nothing was sent")

    async def _within(self, deadline: Deadline, visit: _Visit, line: socket.socket, name: str, content: bytes) -> None:
        async with asyncio.timeout(deadline.left()):
            connection = await asyncssh.connect(
                self.endpoint.host, self.endpoint.port, sock=line, client_factory=lambda: visit, **self._options
            )
            try:
                sftp = await connection.start_sftp_client()
                await self._write(visit, sftp, name, content)
            finally:
                connection.abort()  # it has answered, or never will: no farewell to wait for

    async def _write(self, visit: _Visit, sftp: asyncssh.SFTPClient, name: str, content: bytes) -> None:
        final, scratch = self._folder + name, f"{self._folder}.{name}.part"
        if await _is_there(sftp, final):
            return
        file = await sftp.open(scratch, "wb")  # what an interrupted attempt has left is overwritten
        visit.sent = True
        try:
            await file.write(content)
            with suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()
            await file.close()
            try:
                await sftp.posix_rename(scratch, final)
            except asyncssh.SFTPOpUnsupported:
                await sftp.rename(scratch, final)  # fails where one of that name has come meanwhile
        except asyncssh.SFTPError:
            with suppress(asyncssh.SFTPError):
                await sftp.remove(scratch)  # what is refused should not lie about there
            raise
        visit.written = True


class _Visit(asyncssh.SSHClient):
    """One connection: trusts one host key, and remembers how far it came."""

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self.shown = ""
        self.sent = False
        self.written = False

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key.get_fingerprint("sha256")
        return self.shown == self._expected


async def _is_there(sftp: asyncssh.SFTPClient, path: str) -> bool:
    try:
        await sftp.lstat(path)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return False
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPOpUnsupported):
        return False  # a folder to drop files into, where nobody may look
    return True


def fingerprint(host_key: str) -> str:
    """The SHA-256 fingerprint of a host key that is given as such, or as a public key line (RFC 4253, 6.6).

    Raises:
        SetupError: it is neither, or not of an Ed25519 key.
    """
    words = host_key.split()
    if len(words) == 1 and _FINGERPRINT.fullmatch(words[0].rstrip("=")):
        return words[0].rstrip("=")
    if "ssh-ed25519" in words[:-1]:  # a host's name may stand before it, as in a file of known hosts
        with suppress(binascii.Error, ValueError):
            blob = base64.b64decode(words[words.index("ssh-ed25519") + 1], validate=True)
            if blob.startswith(b"\0\0\0\x0bssh-ed25519\0\0\0\x20") and len(blob) == 51:
                return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    raise SetupError(
        "a `host_key` is neither a SHA-256 fingerprint nor the line of an Ed25519 public key",
        help="write `SHA256:…`, as `ssh-keygen -lf` prints it, or `ssh-ed25519 AAAA…`",
    )


def _folder(path: str) -> str:
    """What stands before a file's name: the folder of the URL with a slash, or nothing for the login folder."""
    if path == "/~" or path.startswith("/~/"):
        path = path[3:]
    return f"{path}/" if path else ""


def _private_key(file: Path) -> asyncssh.SSHKey:
    content = read_owned(file, "the private key")
    key = None
    with suppress(asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        key = asyncssh.import_private_key(content)
    if key is None or key.get_algorithm() != "ssh-ed25519":
        raise SetupError(
            f"the private key `{file}` is not an Ed25519 key without passphrase",
            help="make one: ssh-keygen -t ed25519 -N '' -f FILE; give the recipient FILE.pub",
        )
    return key


def _options(user: str, key: asyncssh.SSHKey) -> dict[str, Any]:
    """Everything that the library would else look up in ~/.ssh, in the environment or by asking around."""
    return {
        "config": None,
        "username": user,
        "client_keys": [key],
        "client_certs": [],
        "agent_path": None,
        "pkcs11_provider": None,
        # Not an empty list: for that it would read ~/.ssh/known_hosts. Nobody is known, so that each key is asked for.
        "known_hosts": lambda host, address, port: ([], [], [], [], [], [], []),
        "x509_trusted_certs": None,
        "x509_trusted_cert_paths": [],
        "preferred_auth": ["publickey"],
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_kex": False,
        "gss_auth": False,
        "gss_host": None,
        "disable_trivial_auth": True,  # a server that takes anybody does not know our key
        "agent_forwarding": False,
        "x11_forwarding": False,
        "send_env": [],
        "env": {},
        "client_version": "Avow",
        "kex_algs": list(KEY_EXCHANGES),
        "server_host_key_algs": list(HOST_KEYS),
        "signature_algs": list(HOST_KEYS),
        "encryption_algs": list(CIPHERS),
        "mac_algs": list(MACS),
        "compression_algs": ["none"],
    }

"""A supplier that takes its orders as files over SFTP. Needs asyncssh, which `avow[testing]` brings.

The files lie in memory, all in one folder, /orders. Whoever shows the one known key may write there; there is no
password, no shell and no forwarding. A file becomes an order when it gets its name: what ends in `.part` is none yet.

    with SftpSupplier(folder) as supplier:
        channel = SftpChannel(supplier.url, user="shop", key=supplier.key, host_key=supplier.host_key)
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

import asyncssh
from asyncssh.sftp import SFTPServer

from avow.testing.http import Malformed
from avow.testing.peer import BACKLOG, Receiver
from avow.testing.supplier import Order, Supplier, read_lines

FOLDER = "/orders"
USER = "shop"

#: Bytes of the largest file, and how many of the latest files it keeps.
FILE_LIMIT, FILES = 1 << 20, 1000


@dataclass
class _File:
    """A file in memory; `synced` says whether its writer asked for its safekeeping since the last byte."""

    content: bytearray = field(default_factory=bytearray)
    synced: bool = False


class SftpSupplier(Receiver[Order], Supplier):
    """Takes orders in the folder /orders. `folder` is where the client's private key is written; default: a temporary.

    Switches besides Receiver's: `refuses`, the names of the operations that it refuses ("open", "write", "fsync",
    "lstat", "rename", "posix_rename", "remove"); `lacks`, those that it does not know; `silent`, those that it never
    answers. `options` go to asyncssh, for servers that are not as they should be. `said` holds the latest operations in
    the order in which they came, `users` the names that tried to log in.
    """

    way = "SFTP"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        name: str = "supplier",
        port: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, port)
        if folder is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="avow-peer-")
            folder = Path(self._scratch.name)
        self.refuses: set[str] = set()
        self.lacks: set[str] = set()
        self.silent: set[str] = set()
        self.said: deque[tuple[str, ...]] = deque(maxlen=FILES)
        self.users: deque[str] = deque(maxlen=FILES)
        self.files: dict[str, _File] = {}
        self.heard = threading.Event()
        self._options = dict(options or {})
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        client = asyncssh.generate_private_key("ssh-ed25519")
        self._client = client.convert_to_public()
        self.key = folder / f"{name}.client.key"
        self.key.unlink(missing_ok=True)
        self.key.touch(mode=0o600)
        self.key.write_bytes(client.export_private_key())

    @property
    def url(self) -> str:
        """Where orders are put."""
        return f"sftp://127.0.0.1:{self.port}{FOLDER}"

    @property
    def host_key(self) -> str:
        """The fingerprint of its host key."""
        return self._host_key.get_fingerprint("sha256")

    @property
    def host_key_line(self) -> str:
        """Its host key as a public key line."""
        return self._host_key.export_public_key().decode().strip()

    @property
    def address(self) -> Mapping[str, str]:
        """What belongs into a file of addresses for it."""
        return {"url": self.url, "user": USER, "key": str(self.key), "host_key": self.host_key}

    @property
    def orders(self) -> Sequence[Order]:
        """The latest orders, oldest first."""
        return self.received

    def change_host_key(self) -> None:
        """Show another host key from the next connection on, as an impostor would."""
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.down = True
        self.down = False

    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener."""
        options = {
            "server_host_keys": [self._host_key],
            "server_factory": lambda: _Doorkeeper(self, self._client),
            "sftp_factory": lambda channel: _Shelf(channel, self),
            "allow_scp": False,
            "agent_forwarding": False,
            "backlog": BACKLOG,
            **self._options,
        }
        # It wraps an asyncio.Server and has its methods, without being one.
        return cast(asyncio.Server, await asyncssh.listen("127.0.0.1", port, **options))

    def arrived(self, path: str) -> None:
        """A file has got its name."""
        name = PurePosixPath(path).name
        content = bytes(self.files[path].content)
        try:
            fields = read_lines(content)
        except Malformed:
            fields = {}
        self.take(Order(time.time(), name.removesuffix(".jsonl"), fields, content))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


class _Doorkeeper(asyncssh.SSHServer):
    """Lets one key in, and nothing else."""

    def __init__(self, supplier: SftpSupplier, client: asyncssh.SSHKey) -> None:
        self._supplier = supplier
        self._client = client

    def begin_auth(self, username: str) -> bool:
        self._supplier.users.append(username)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._client


class _Shelf(SFTPServer):
    """The files of a supplier, as one connection sees them."""

    def __init__(self, channel: Any, supplier: SftpSupplier) -> None:
        super().__init__(channel)
        self._supplier = supplier

    def map_path(self, path: bytes) -> bytes:
        # Called by every operation that is not written anew below, before it would touch this computer's own files.
        raise asyncssh.SFTPPermissionDenied("this server takes orders, and nothing else")

    async def _asked(self, operation: str, *paths: bytes) -> list[str]:
        supplier = self._supplier
        names = [path.decode("utf-8", "replace") for path in paths]
        supplier.said.append((operation, *names))
        supplier.heard.set()
        if operation in supplier.silent:
            await asyncio.Event().wait()
        if operation in supplier.lacks:
            raise asyncssh.SFTPOpUnsupported("not known here")
        if operation in supplier.refuses:
            raise asyncssh.SFTPPermissionDenied("not here")
        if any(str(PurePosixPath(name).parent) != FOLDER for name in names):
            raise asyncssh.SFTPNoSuchFile("there is one folder here")
        return names

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        (name,) = await self._asked("open", path)
        files = self._supplier.files
        if not pflags & asyncssh.FXF_CREAT and name not in files:
            raise asyncssh.SFTPNoSuchFile("no such file")
        if pflags & asyncssh.FXF_TRUNC or name not in files:
            files[name] = _File()
            if len(files) > FILES:
                del files[next(iter(files))]
        return files[name]

    async def realpath(self, path: bytes) -> bytes:
        return FOLDER.encode()

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        raise asyncssh.SFTPPermissionDenied("orders are put here, not taken away")

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(size=len(cast(_File, file_obj).content))

    async def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        await self._asked("write")
        file = cast(_File, file_obj)
        if offset + len(data) > FILE_LIMIT:
            raise asyncssh.SFTPFailure("the file is too large")
        file.content[offset : offset + len(data)] = data
        file.synced = False
        return len(data)

    async def fsync(self, file_obj: object) -> None:
        await self._asked("fsync")
        cast(_File, file_obj).synced = True

    async def close(self, file_obj: object) -> None:
        await self._asked("close")

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        (name,) = await self._asked("lstat", path)
        if name not in self._supplier.files:
            raise asyncssh.SFTPNoSuchFile("no such file")
        return asyncssh.SFTPAttrs(size=len(self._supplier.files[name].content))

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return await self.lstat(path)

    async def remove(self, path: bytes) -> None:
        (name,) = await self._asked("remove", path)
        self._supplier.files.pop(name, None)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        old, new = await self._asked("rename", oldpath, newpath)
        if new in self._supplier.files:
            raise asyncssh.SFTPFailure("there is a file of that name")
        await self._moved(old, new)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._moved(*await self._asked("posix_rename", oldpath, newpath))

    async def _moved(self, old: str, new: str) -> None:
        supplier = self._supplier
        if old not in supplier.files:
            raise asyncssh.SFTPNoSuchFile("no such file")
        supplier.files[new] = supplier.files.pop(old)
        supplier.arrived(new)
        await asyncio.sleep(supplier.slow)
        if supplier.fails_midway:
            self.connection.abort()

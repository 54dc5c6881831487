"""A keyed hash of what a row says, beside it: who can only write rows says nothing by them.

    mark = HMAC-SHA256(the installation's secret `log`, "avow " ‖ kind ‖ " 1" ‖ each value, after a zero byte)

For rows that vouch for something and hold no personal value, which would be sealed under a key: signatures, and how
people stand to versions of the policy.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from avow.vault.vault import Vault


class Marks:
    """Makes and checks the marks of rows of one `kind`. The secret is asked for once: a device answers slowly."""

    def __init__(self, vault: Vault, kind: str) -> None:
        self._secret = vault.keyring.secret("log")
        self._head = f"avow {kind} 1"

    def of(self, values: Iterable[object]) -> bytes:
        """The mark of a row that says `values`, none of them with a zero byte: 32 bytes."""
        words = "".join(f"\0{value}" for value in values)
        return hmac.digest(self._secret, (self._head + words).encode(), "sha256")

    def fits(self, mark: bytes | None, values: Iterable[object]) -> bool:
        """Whether a row's mark is its own. None, of a row that never had one, is not."""
        return mark is not None and hmac.compare_digest(bytes(mark), self.of(values))

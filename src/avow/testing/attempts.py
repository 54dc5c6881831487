"""What a peer answered to each attempt, so that the same attempt twice takes effect once."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable

from avow.testing.http import Malformed, Response

#: Attempts that are remembered. Only a digest of each request is kept, and the answer.
REMEMBERED = 10_000


class Attempts:
    """Answers by attempt id, the oldest forgotten first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[bytes, Response]] = OrderedDict()
        # Keyed, so that the digests say nothing about short contents such as card numbers.
        self._key = secrets.token_bytes(32)

    def once(self, attempt: str, body: bytes, act: Callable[[], Response]) -> Response:
        """The earlier answer to `attempt`, or that of `act`, called once.

        Raises Malformed with 422 when the same attempt comes with another body.
        """
        digest = hashlib.blake2b(body, key=self._key).digest()
        earlier = self._answers.get(attempt)
        if earlier is None:
            earlier = self._answers[attempt] = (digest, act())
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        if earlier[0] != digest:
            raise Malformed("this attempt came before, with another content", 422)
        return earlier[1]

    def seen(self, attempt: str) -> Response | None:
        """The answer that was given to `attempt`, if it ever came."""
        earlier = self._answers.get(attempt)
        return earlier[1] if earlier else None

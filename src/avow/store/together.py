"""Rows that several threads write at the same time, in one transaction.

A commit waits for the disk, and the disk takes many rows as quickly as one. Who comes first leads: it begins the
transaction, and takes along what has come meanwhile. Who comes while it is under way waits, and the first of them leads
the next one. Alone, a thread writes its own rows and waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock

from avow.errors import StoreError
from avow.store.adding import Adding, Batch, Rows


@dataclass(slots=True)
class _Waiting:
    batch: Batch
    called: Event = field(default_factory=Event)
    done: bool = False
    error: BaseException | None = None


class Together:
    """Writes rows of one table, and of the one beside it. For all threads."""

    def __init__(self, adding: Adding) -> None:
        self._adding = adding
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._led = False

    def write(self, rows: Rows, beside: Rows = ()) -> None:
        """Make some rows durable. Not within a transaction of one's own that writes: SQLite has room for one.

        Raises:
            StoreError: the transaction that another thread led, with these rows in it, came to nothing.
            DatabaseError: the one that this thread led did.
        """
        mine = _Waiting(Batch(rows, beside))
        with self._lock:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.called.wait()
        if not mine.done:
            self._lead()
        elif mine.error is not None:
            raise StoreError(
                f"what was to be written together with others could not be: {type(mine.error).__name__}",
                help="nothing of it was written; try again",
            ) from mine.error

    def _lead(self) -> None:
        taken: list[_Waiting] = []
        error: BaseException | None = None

        def batch() -> Batch:
            taken.extend(self._take())
            rows = [row for each in taken for row in each.batch.rows]
            return Batch(rows, [row for each in taken for row in each.batch.beside])

        try:
            self._adding.add_alone(batch)  # asked for once it has begun: until then others come
        except BaseException as failed:
            error = failed
            raise
        finally:
            taken = taken or self._take()
            for each in taken:
                each.done, each.error = True, error
                each.called.set()
            with self._lock:
                self._led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].called.set()

    def _take(self) -> list[_Waiting]:
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken

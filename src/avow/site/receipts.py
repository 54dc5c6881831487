"""Receipts for the entries of somebody's log: a file that shows, without asking us, that the ledger has the entry.

A receipt is a C2SP tlog-proof (`avow.ledger.proof`) whose extra data is the entry, so that the one file is enough. An
entry names nobody, and neither does its receipt; but it tells its holder what was done, and is for whom it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from avow.edge.export import download
from avow.errors import LogError
from avow.vault.my_log import my_entry

if TYPE_CHECKING:
    from starlette.responses import Response

    from avow.ledger.public import PublicLog
    from avow.site.work import Work
    from avow.vault.record import Record

#: For whatever browser: none shows it, and none adds an ending to its name.
_KIND: Final = "application/octet-stream"

#: The same words, whether there is such an entry about somebody else or there is none at all.
_NOT_THEIRS: Final = ("There is no such entry in your log", "You get a receipt for each entry that stands there.")
_NOT_YET: Final = (
    "This receipt is not ready yet",
    "The entry is written down, and comes under our signature as a rule within an hour. Please come back then.",
)


def give_receipt(work: Work, log: PublicLog, records: Iterable[Record], fact: str, commitment: str) -> Response:
    """The receipt of an entry of somebody's log as a file; or a page, with status 404, that says why there is none.

    It is served below the page of the log, to which such a page leads back.

    Args:
        log: of this installation.
        records: of whom it is about; who is looking is one of them and has shown `fact`.
        commitment: of the entry, 64 hexadecimal digits.

    Raises:
        Refused, SealedError: see `avow.vault.my_log`.
        LedgerError: the log is not what its checkpoint covers.
    """
    found = my_entry(work.unit, records, fact, commitment)
    if found is None:
        return _page(work, *_NOT_THEIRS)
    if found.number is None:
        return _page(work, *_NOT_YET)
    try:
        receipt = log.receipt(found.number, found.body)
    except LogError:
        return _page(work, *_NOT_YET)
    return download(receipt.encode(), f"entry-{found.number}.tlog-proof", _KIND)


def _page(work: Work, title: str, words: str) -> Response:
    back = Markup('{} <a href="{}">Back to your log</a>').format(words, work.current_path.rpartition("/")[0])
    return work.render("error.html", status=404, title=title, words=back, sentences=())

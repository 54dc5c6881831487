"""The one error tree. Each class says what happened and what to do next.

AvowError
├── PolicyError      the policy file cannot be read as it stands; all diagnostics at once
├── Refused          a flow that no sentence permits, or that one forbids
├── SealedError      a sealed value or column was handled as if it were text
├── SetupError       the service is declared or configured wrongly; nothing was started
├── StoreError       the database or its folder cannot be used
├── KeyringError     keys are missing, unreadable or do not fit the database
├── LedgerError      the ledger does not verify
│   └── LogError     a transparency log, or a piece of one, is misshapen or does not verify
└── DeliveryError    a peer outside did not take what was sent
    ├── Unreachable  nothing left: the peer could not be reached or failed verification
    ├── Rejected     the peer answered and said no
    └── OutcomeUnknown  something may have left, and no answer tells
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avow.values import Diagnostic, Verdict


class AvowError(Exception):
    """Root of every error that Avow raises on purpose.

    `help` holds one sentence that says what to do about it, or None.
    """

    help: str | None = None

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  help: {self.help}" if self.help else message


class PolicyError(AvowError):
    """A policy that cannot be read or contradicts itself. Correct every diagnostic and load it again."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n\n".join(str(item) for item in diagnostics))


class Refused(AvowError, PermissionError):
    """A flow was refused. `verdict` carries the sentences that say so.

    Either do without the flow, or change the policy (and publish the change).
    """

    def __init__(self, message: str, verdict: Verdict | None = None, *, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.verdict = verdict


class SealedError(AvowError, TypeError):
    """A sealed value was printed into, compared, copied or stored as if it were text."""


class SetupError(AvowError):
    """The service is declared or configured wrongly. Nothing was started."""


class StoreError(AvowError):
    """The database, or the folder it lives in, cannot be used."""


class OnlyReads(StoreError):
    """A transaction that was begun to read only was to write."""


class KeyringError(AvowError):
    """Keys are missing, unreadable, or are not the ones that the database was sealed with."""


class LedgerError(AvowError):
    """The ledger does not verify: the message says which entry, and what was expected there."""


class LogError(LedgerError):
    """A transparency log, or a piece of one (tile, note, checkpoint, proof), is misshapen or does not verify.

    `where` names the piece: a path in the log's folder, an entry, a line of a note. The message begins with it.
    """

    def __init__(self, where: str, message: str, *, help: str | None = None) -> None:
        super().__init__(f"{where}: {message}", help=help)
        self.where = where


class DeliveryError(AvowError):
    """A peer outside did not take what was sent."""


class Unreachable(DeliveryError):
    """Nothing left: no connection, or the peer's certificate did not verify. Sending again is safe."""


class Rejected(DeliveryError):
    """The peer answered and said no, for good. Sending the same again gives the same answer."""


class OutcomeUnknown(DeliveryError):
    """Something may have left and no usable answer came back. Ask the peer by the attempt's id."""


def first_line(error: BaseException) -> str:
    """The first line of an error's text, at most 200 characters: what a log or a state column shows of it."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

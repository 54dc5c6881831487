"""The console: what those of the house see who look after the policy. It shows figures, and nobody's data.

    site.console(role="privacy_officer", purpose="compliance")

serves it at /console/evidence to members of staff who have the role.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from avow.site.evidence_shown import shown

if TYPE_CHECKING:
    from starlette.responses import Response

    from avow.site.work import Work

#: Where it is.
EVIDENCE: Final = "/console/evidence"

#: Days that it shows where no others are asked for.
_DAYS: Final = 28


def show_evidence(work: Work) -> Response:
    """What became of each sentence in a time: of the days `from` to `to` in the query, or the last four weeks."""
    vault = work.unit.vault
    today = datetime.fromtimestamp(vault.clock(), UTC).date()
    wrong = ""
    try:
        last = date.fromisoformat(work.query.get("to") or today.isoformat())
        first = date.fromisoformat(work.query.get("from") or (last - timedelta(days=_DAYS - 1)).isoformat())
        until = last + timedelta(days=1)
    except (ValueError, OverflowError):
        wrong = "These are no two days. Please write them like 2026-03-31."
    else:
        if last < first:
            wrong = "The last day comes before the first one. Please change one of them."
    if wrong:
        first, until = today - timedelta(days=_DAYS - 1), today + timedelta(days=1)
    of = shown(work.evidence, vault.policy.vocabulary, first, until)
    return work.render("evidence.html", of=of, wrong=wrong, status=422 if wrong else 200)

"""The pack of a service whose policy has changed its word: each entry rests on the version that decided it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avow.errors import Refused
from avow.site.evidence_pack import pack
from avow.testing.clock import FrozenClock
from tests.vault.test_older import SOURCE, WEAKER, Years

from .test_evidence import check

#: The second version, in which no sentence has the name that it had in the first.
RENAMED = WEAKER.replace("#read", "#read-here").replace("#ask", "#asked")


@pytest.mark.parametrize("newer", [WEAKER, RENAMED], ids=["the same names", "other names"])
def test_what_an_earlier_version_refused_stands_under_that_version(tmp_path: Path, newer: str) -> None:
    clock = FrozenClock()
    years = Years(tmp_path, f"sqlite:///{tmp_path}/site.db", clock)
    years.under(SOURCE)
    ann = years.collect("Ann Example")
    years.under(newer)
    with pytest.raises(Refused):
        years.sell(ann)
    opened = years.site.opened
    opened.sequencer.run()
    today = datetime.fromtimestamp(clock(), UTC).date()
    made = pack(opened, tmp_path / "pack", today, today + timedelta(days=2), tests={})
    years.site.close()
    done = check(tmp_path / "pack", made.key)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout

"""The report of an evidence pack as an auditor sees it: opened from the folder, at a desk and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avow.cli.main import run
from tests.cli.asking_shop import SHOP, asked

from .looks import Looks


def test_the_report_is_in_order_for_the_eye_and_for_a_screen_reader(page: Any, tmp_path: Path) -> None:
    asked(tmp_path / "data").close()
    assert run(["evidence", str(SHOP), str(tmp_path / "pack"), "--data", str(tmp_path / "data")]) == 0
    page.goto((tmp_path / "pack" / "index.html").as_uri())
    looks = Looks()
    looks.look(page, "report")
    assert looks.faults == []

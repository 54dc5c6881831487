"""kill -9, or a full or broken disk, at each state-changing call of taking over what lies in the clear.

    python -m tests.campaigns.sealing [EVERY]     every point, or each EVERYth; the figures as one line of JSON

A library of nine readers and five orders is taken over in batches of four, and cleaned; then once more, after old code
has written some of them again. As in `endings`: traced once to count the calls, then once for each of them with a kill
or a failure there; then it is looked at as it was left, and the same command is given once more.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.campaigns.endings import FAILS, LANES, Figures, Point
from tests.campaigns.forks import KILLED, Warm, need_strace, numbered
from tests.campaigns.sealing_warm import WRITTEN, WRITTEN_AGAIN

#: See `Deed` in `sealing_warm`.
FLOWS = ("first", "again")


class Lane:
    """A warm process and a folder of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._warm = Warm(stack, folder, "tests.campaigns.sealing_warm")
        for flow in FLOWS:
            self._warm.ask(["prepare", flow, str(folder / flow), False])
        self._number = 0

    def count(self, flow: str) -> list[Point]:
        """The points of a flow: every call of one that nobody disturbs.

        Raises:
            AssertionError: it does not hold even so.
        """
        facts, log = self.run(flow, None)
        found = violations(flow, facts)
        if KILLED in log or found:
            raise AssertionError(f"{flow}, undisturbed, does not hold: {found}")
        points = [Point(flow, call, number) for call, number in numbered(log)]
        return points + [replace(point, fault=f"error={FAILS[point.call]}") for point in points if point.call in FAILS]

    def disturb(self, point: Point) -> tuple[bool, list[str]]:
        """Disturb one flow there; whether it came so far, and what does not hold."""
        facts, log = self.run(point.flow, point)
        return KILLED in log or "(INJECTED)" in log, [f"{point}: {found}" for found in violations(point.flow, facts)]

    def run(self, flow: str, point: Point | None) -> tuple[dict[str, Any], str]:
        """What a flow left, and the calls it made; disturbed at a point."""
        self._number += 1
        folder = self.folder / f"{flow}-{self._number}"
        shutil.copytree(self.folder / flow, folder)
        pid = self._warm.begin(["do", flow, str(folder), True])["pid"]
        while not (folder / "ready").exists():
            time.sleep(0.001)
        fault = f"{point.call}:{point.fault}:when={point.number}" if point else None
        calls = self._warm.traced(pid, folder.with_suffix(".strace"), fault)
        self._warm.ask(["recover", flow, str(folder), False])
        facts = json.loads((folder / "facts").read_text()) if (folder / "facts").exists() else {}
        facts["said"] = self._warm.complaints()
        shutil.rmtree(folder)
        return facts, calls


def violations(flow: str, facts: dict[str, Any]) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    if "found" not in facts:
        return [f"it could not be gone on with: {facts.get('said', '')[-2000:]}"]
    found = [f"{stage}: {each}" for stage in ("crash", "final") for each in _everywhere(flow, facts[stage])]
    final = facts["final"]
    if final["clear"]:
        found.append(f"in the end {sorted(final['clear'])} lie in the clear")
    if flow == "again" and any(final["sealed"][key] != text for key, text in WRITTEN_AGAIN.items()):
        found.append("in the end what was written again is not what lies sealed")
    if facts["found"]:
        found.append(f"in the end the files hold {facts['found']}")
    if final["roots"][: len(facts["crash"]["roots"])] != facts["crash"]["roots"]:
        found.append("the ledger that the crash left is no prefix of the final one")
    return found


def _everywhere(flow: str, left: dict[str, Any]) -> Iterator[str]:
    """What holds as the crash left it, and in the end."""
    clear, sealed = left["clear"], left["sealed"]
    if left["trouble"]:
        yield f"the ledger does not verify: {left['trouble']}"
    for key, text in WRITTEN.items():
        again = WRITTEN_AGAIN.get(key) if flow == "again" else None
        # What was written again: the new text waits in the clear beside the old one sealed, or has taken its place.
        good = [(None, text), (text, None)] if again is None else [(again, text), (None, again)]
        if (clear.get(key), sealed.get(key)) not in good:
            yield f"{key}: {'in the clear' if key in clear else 'empty'}, {'sealed' if key in sealed else 'not sealed'}"
    if left["records"] != left["named"]:
        yield f"{left['records']} records were made of {left['named']} rows"
    if left["people"] != left["owners"]:
        yield f"{len(left['people'])} people are there, and {len(left['owners'])} have a record"


@contextmanager
def lanes(folder: Path, count: int = LANES) -> Iterator[list[Lane]]:
    """The lanes of a campaign, in `folder`.

    Raises:
        SetupError: there is no strace.
    """
    need_strace()
    with ExitStack() as stack:
        yield [Lane(folder / f"lane-{number}", stack) for number in range(count)]


def run(folder: Path, *, every: int) -> Figures:
    """The campaign: of each flow, each `every`th point."""
    start = time.monotonic()
    figures = Figures()
    with lanes(folder) as made:
        points = [point for flow in FLOWS for point in made[0].count(flow)[::every]]
        figures.points = len(points)
        figures.by_flow = Counter(point.flow for point in points)

        def work(index: int) -> list[tuple[Point, bool, list[str]]]:
            return [(point, *made[index].disturb(point)) for point in points[index::LANES]]

        with ThreadPoolExecutor(LANES) as pool:
            for point, reached, found in (result for results in pool.map(work, range(LANES)) for result in results):
                if "SIGKILL" in point.fault:
                    figures.killed += reached
                else:
                    figures.failed += reached
                figures.violations += found
    figures.seconds = time.monotonic() - start
    return figures


def main() -> int:
    """The whole campaign from the command line; the exit status says whether everything held."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="avow-sealing-") as folder:
        figures = run(Path(folder) / "lanes", every=int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for violation in figures.violations:
        sys.stdout.write(f"{violation}\n")
    numbers = {name: getattr(figures, name) for name in ("points", "killed", "failed")}
    numbers["violations"] = len(figures.violations)
    sys.stdout.write(json.dumps({**numbers, "seconds": round(figures.seconds, 1), "by_flow": figures.by_flow}) + "\n")
    return 1 if figures.violations else 0


if __name__ == "__main__":
    sys.exit(main())

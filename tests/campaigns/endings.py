"""kill -9, or a full or broken disk, at each state-changing call of erasing, shredding, retention, backup and restore.

    python -m tests.campaigns.endings [EVERY]     every point, or each EVERYth; the figures as one line of JSON

The installation is a village post with six neighbours, of whom the first is erased. As in `kill`, a flow is traced once
to count its calls, then once for each of them, with the process killed as it enters the call; and once more with the
call failing: what writes finds the disk full (ENOSPC), what syncs finds it broken (EIO). Then the installation is
opened as it was left, and the same command is given once more.
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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.campaigns.forks import KILLED, Warm, need_strace, numbered

#: What is killed in its middle; see `Deed` in `endings_warm`.
FLOWS = ("erase", "shred", "retention", "backup", "restore")

LIVING = [f"Name {number} Example" for number in range(1, 6)]

LANES = 2


#: How a call fails, of those that do.
FAILS = {
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "fallocate", "mkdir", "rename"), "ENOSPC"),
    **dict.fromkeys(("fsync", "fdatasync", "ftruncate", "unlink"), "EIO"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """The moment before the `number`th call of its name (1, 2, …) in a flow; `fault` is what comes then."""

    flow: str
    call: str
    number: int
    fault: str = "signal=SIGKILL"

    def __str__(self) -> str:
        return f"{self.fault} at {self.call} {self.number} of {self.flow}"


@dataclass
class Figures:
    """What a campaign found. `points` were tried; `killed` of them ended in a kill, in `failed` a call failed."""

    points: int = 0
    killed: int = 0
    failed: int = 0
    seconds: float = 0.0
    by_flow: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Lane:
    """A warm process and a folder of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._warm = Warm(stack, folder, "tests.campaigns.endings_warm")
        for flow in FLOWS:
            self._ask("prepare", flow, folder / flow)
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
        """What a flow left, and the calls it made; killed at a point."""
        self._number += 1
        folder = self.folder / f"{flow}-{self._number}"
        shutil.copytree(self.folder / flow, folder)
        pid = self._warm.begin(["do", flow, str(folder), True])["pid"]
        while not (folder / "ready").exists():
            time.sleep(0.001)
        fault = f"{point.call}:{point.fault}:when={point.number}" if point else None
        calls = self._warm.traced(pid, folder.with_suffix(".strace"), fault)
        self._ask("recover", flow, folder)
        facts = json.loads((folder / "facts").read_text()) if (folder / "facts").exists() else {}
        facts["said"] = self._warm.complaints()
        shutil.rmtree(folder)
        return facts, calls

    def _ask(self, kind: str, flow: str, folder: Path) -> None:
        self._warm.ask([kind, flow, str(folder), False])


def violations(flow: str, facts: dict[str, Any]) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    if "final" not in facts:
        return [f"it could not be gone on with: {facts.get('said', '')[-2000:]}"]
    return [*_everywhere(flow, facts), *_in_the_end(flow, facts["final"])]


def _everywhere(flow: str, facts: dict[str, Any]) -> Iterator[str]:
    """What holds as the crash left it, and in the end."""
    for stage in ("crash", "final"):
        left = facts[stage]
        if left is None:  # a restore that was killed before there was a database
            continue
        if left["trouble"]:
            yield f"{stage}: the ledger does not verify: {left['trouble']}"
        if not set(LIVING) <= set(left["names"]):
            yield f"{stage}: of those who live only {left['names']} open"
        if left["ownerless"]:
            yield f"{stage}: {left['ownerless']} records have no living owner"
        if left["first"] != left["key"]:
            yield f"{stage}: the first neighbour's records and key are not there together"
        if left["buried"] and left["first"]:
            yield f"{stage}: the first neighbour has a tombstone and is served"
    if flow == "erase" and facts["told"] and facts["crash"]["first"]:
        yield "the erasure was acknowledged, and the first neighbour is still there"
    roots = [facts[stage]["roots"] for stage in ("crash", "final") if facts[stage] is not None]
    if roots[-1][: len(roots[0])] != roots[0]:
        yield "the ledger that the crash left is no prefix of the final one"


def _in_the_end(flow: str, final: dict[str, Any]) -> Iterator[str]:
    if final["first"] != (flow in ("backup", "retention")):
        yield f"in the end the first neighbour is {'still' if final['first'] else 'not'} there"
    if flow in ("shred", "restore") and (final["unwraps"] or final["epochs"] != [final["newest"]]):
        yield f"in the end an old copy of the erased key unwraps, under one of the epochs {final['epochs']}"
    if flow == "shred" and not final["shredded"]:
        yield "in the end the tombstone does not say that the key is gone"
    if flow == "retention" and final["cards"]:
        yield f"in the end {final['cards']} cards are left that should be gone"
    if flow == "backup" and final["from_backup"] != ["Name 0 Example", *LIVING]:
        yield f"in the end the backup gives back {final['from_backup']}"


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

    with tempfile.TemporaryDirectory(prefix="avow-endings-") as folder:
        figures = run(Path(folder) / "lanes", every=int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for violation in figures.violations:
        sys.stdout.write(f"{violation}\n")
    numbers = {name: getattr(figures, name) for name in ("points", "killed", "failed")}
    numbers["violations"] = len(figures.violations)
    sys.stdout.write(json.dumps({**numbers, "seconds": round(figures.seconds, 1), "by_flow": figures.by_flow}) + "\n")
    return 1 if figures.violations else 0


if __name__ == "__main__":
    sys.exit(main())

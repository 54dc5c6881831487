"""Flows that are disturbed at each of their state-changing calls: by kill -9, or by a full or a broken disk.

What a flow does and what must hold afterwards is said by a `Campaign`. A flow is traced once to count its calls, then
once for each of them, with the process killed as it enters the call; and once more with the call failing: what writes
finds the disk full (ENOSPC), what syncs finds it broken (EIO). Then the installation is looked at as it was left, and
the same command is given once more.

A job for the warm process of a campaign (see `forks`) is kind, flow, folder, and whether to wait for a tracer; `serve`
does it there.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tests.campaigns import forks
from tests.campaigns.forks import KILLED, Warm, need_strace, numbered, unreached

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


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is disturbed, and what must hold then.

    Attributes:
        warm: the module of the warm process, which calls `serve`.
        flows: what is disturbed, by name.
        violations: what does not hold after a flow of that name that left those facts, in words. Without facts it
            could not be gone on with; why is in `said`.
    """

    warm: str
    flows: tuple[str, ...]
    violations: Callable[[str, dict[str, Any]], list[str]]

    @contextmanager
    def lanes(self, folder: Path, count: int = LANES) -> Iterator[list[Lane]]:
        """The lanes of the campaign, in `folder`.

        Raises:
            SetupError: there is no strace.
        """
        need_strace()
        with ExitStack() as stack:
            yield [Lane(self, folder / f"lane-{number}", stack) for number in range(count)]

    def run(self, folder: Path, *, every: int) -> Figures:
        """The campaign: of each flow, each `every`th point."""
        start = time.monotonic()
        figures = Figures()
        with self.lanes(folder) as made:
            points = [point for flow in self.flows for point in made[0].count(flow)[::every]]
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

    def main(self) -> int:
        """The whole campaign from the command line; the exit status says whether everything held."""
        with TemporaryDirectory(prefix="avow-campaign-") as folder:
            figures = self.run(Path(folder) / "lanes", every=int(sys.argv[1]) if len(sys.argv) > 1 else 1)
        for violation in figures.violations:
            sys.stdout.write(f"{violation}\n")
        numbers = {name: getattr(figures, name) for name in ("points", "killed", "failed")}
        numbers["violations"] = len(figures.violations)
        line = json.dumps({**numbers, "seconds": round(figures.seconds, 1), "by_flow": figures.by_flow})
        sys.stdout.write(line + "\n")
        return 1 if figures.violations else 0


class Lane:
    """A warm process and a folder of its own."""

    def __init__(self, campaign: Campaign, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._violations = campaign.violations
        self._warm = Warm(stack, folder, campaign.warm)
        for flow in campaign.flows:
            self._ask("prepare", flow, folder / flow)
        self._number = 0

    def count(self, flow: str) -> list[Point]:
        """The points of a flow: every call of one that nobody disturbs.

        Raises:
            AssertionError: it does not hold even so.
        """
        facts, log = self.run(flow, None)
        found = self._violations(flow, facts)
        if KILLED in log or found:
            raise AssertionError(f"{flow}, undisturbed, does not hold: {found}")
        points = [Point(flow, call, number) for call, number in numbered(log)]
        return points + [replace(point, fault=f"error={FAILS[point.call]}") for point in points if point.call in FAILS]

    def disturb(self, point: Point) -> tuple[bool, list[str]]:
        """Disturb one flow there; whether it came so far, and what does not hold."""
        facts, log = self.run(point.flow, point)
        reached, found = KILLED in log or "(INJECTED)" in log, self._violations(point.flow, facts)
        if not reached:
            found += unreached(point.call, point.number, log)
        return reached, [f"{point}: {each}" for each in found]

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
        self._ask("recover", flow, folder)
        facts = json.loads((folder / "facts").read_text()) if (folder / "facts").exists() else {}
        facts["said"] = self._warm.complaints()
        shutil.rmtree(folder)
        return facts, calls

    def _ask(self, kind: str, flow: str, folder: Path) -> None:
        self._warm.ask([kind, flow, str(folder), False])


class Deed(Protocol):
    """One flow on the installation in its folder, in the warm process."""

    def prepare(self) -> None:
        """Make the installation as the flow finds it; its folder is there and empty."""

    def do(self, *, traced: bool) -> None:
        """Do it. Traced: make `ready` in the folder, and wait for a tracer before the first call that counts."""

    def recover(self) -> None:
        """Look at what was left, give the same command once more, and write `facts` into the folder, as JSON."""


def serve(make: Callable[[str, Path], Deed]) -> int:
    """The warm process of a campaign: its jobs, each done by the deed that `make` gives for a flow and a folder."""

    def do(job: tuple[str, str, str, bool]) -> None:
        kind, flow, folder, traced = job
        deed = make(flow, Path(folder))
        if kind == "prepare":
            Path(folder).mkdir()
            deed.prepare()
        elif kind == "do":
            deed.do(traced=traced)
        else:
            deed.recover()

    return forks.serve(do)

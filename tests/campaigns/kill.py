"""kill -9 at every state-changing call of one checkout, and what must hold afterwards.

    python -m tests.campaigns.kill [EVERY]        every point, or each EVERYth; the figures as one line of JSON

A traced checkout is run once to count its calls, then once for each of them: strace kills the process as it enters the
call, which is then not made. Recovery and the six invariants follow (`invariants`). The peers live in this process and
outlive every crash, as real ones do.

The calls: everything that changes a file, its name or its length (write, pwrite64, fsync, ftruncate, rename, unlink,
fchmod …), and everything that reaches a peer (connect; TLS leaves by write, the rest by sendto). Opening and closing
files is left out: what an open creates is empty and nothing happens between it and the next call of the list. What
SQLite changes in its shared memory needs no call; a crash voids it, and the next process builds it anew.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.http import Request, Response
from avow.testing.mailbox import Mailbox
from avow.testing.supplier import HttpsSupplier
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier
from tests.campaigns.forks import KILLED, ROOT, Warm, need_strace, numbered, unreached
from tests.campaigns.invariants import Arrivals, Crash, violations

SITE = ROOT / "sites" / "gourmet"

#: Lanes that work at once, each with peers and a warm process of its own.
LANES = 2

#: How the card processor behaves: it answers, or it takes the payment and hangs up, so that it must be asked later.
FLOWS = ("answered", "asked later")

NOW = 1_795_000_000.0

TYPED = {
    "ticket": "", "carrier": "ups", "name": "Killed Midway", "email": "killed@example.org", "street": "9 Point Lane",
    "unit": "", "city": "Straceford", "postcode": "KI11 9", "region": "", "country": "Ptracia", "note": "knock twice",
    "card_number": "4242 4242 4242 4242", "card_name": "K MIDWAY", "card_expiry": "11/39", "card_code": "9371",
}  # fmt: skip

_PORT = re.compile(r"^\d+ +connect\(.*?sin_port=htons\((\d+)\)", re.MULTILINE)


class Forgetful(CardProcessor):
    """Takes every payment; while `forgets`, it hangs up before it has answered, and tells the outcome when asked."""

    forgets = False

    async def _answer(self, request: Request) -> Response | bytes | None:
        answer = await super()._answer(request)
        return None if self.forgets and request.method == "POST" else answer


@dataclass(frozen=True, slots=True)
class Point:
    """The moment before the `number`th call of its name (1, 2, …) in a flow."""

    flow: str
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number} of a payment that is {self.flow}"


@dataclass
class Figures:
    """What a campaign found. `points` were tried; `killed` of them ended in a kill, the others came to their end.

    One that was not reached and should have been is among the `violations`.
    """

    points: int = 0
    killed: int = 0
    seconds: float = 0.0
    by_call: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Lane:
    """Peers, a warm process and a folder of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        authority = Authority.create(folder / "authority")
        self.processor = stack.enter_context(Forgetful(authority))
        self.ups = stack.enter_context(Carrier(authority, name="ups"))
        self.fedex = stack.enter_context(Carrier(authority, name="fedex"))
        self.mail = stack.enter_context(Mailbox(authority, name="mail"))
        peers: dict[str, Forgetful | Carrier | Mailbox] = {
            peer.name: peer for peer in (self.processor, self.ups, self.fedex, self.mail)
        }
        config = folder / "config.json"
        endpoints: dict[str, object] = {name: peer.url for name, peer in peers.items()}
        # Nothing in the flows goes to these: the shop does not start without their addresses.
        makers = (
            stack.enter_context(MailSupplier(authority, name="creamery")),
            stack.enter_context(HttpsSupplier(authority, name="olive_press")),
            stack.enter_context(SftpSupplier(folder, name="smokehouse")),
        )
        endpoints |= {maker.name: dict(maker.address) for maker in makers}
        config.write_text(json.dumps({"endpoints": endpoints, "ca": str(authority.ca)}))
        self._ports = {peer.port: name for name, peer in peers.items()}
        self._warm = Warm(stack, folder, "tests.campaigns.warm", str(SITE), str(config))
        self._ask("prepare", folder / "pristine", folder / "customer", "the one before")
        self._number = 0

    def count(self, flow: str) -> list[Point]:
        """The points of a flow: every call of a checkout that nobody disturbs."""
        crash, log = self._run(flow, None)
        found = violations(crash)
        if KILLED in log or found:
            raise AssertionError(f"the undisturbed checkout does not hold: {found}")
        return [Point(flow, call, number) for call, number in numbered(log)]

    def kill(self, point: Point) -> tuple[bool, list[str]]:
        """Kill one checkout there; whether it came so far, and which invariants do not hold."""
        crash, log = self._run(point.flow, point)
        killed, found = KILLED in log, violations(crash)
        if not killed:
            found += unreached(point.call, point.number, log)
        return killed, [f"{point}: {violation}" for violation in found]

    def checkout(self, flow: str) -> Crash:
        """A checkout that nobody disturbs."""
        return self._run(flow, None)[0]

    def _run(self, flow: str, point: Point | None) -> tuple[Crash, str]:
        self._number += 1
        data = self.folder / f"data-{self._number}"
        shutil.copytree(self.folder / "pristine", data)
        customer, facts = data.with_suffix(".customer"), data.with_suffix(".facts")
        ticket = f"ticket-{self._number}"
        self.processor.forgets = flow == FLOWS[1]
        start = time.time()
        log = self._traced(data, customer, ticket, point)
        arrived = self._arrivals(start, log)
        shutil.copytree(data, f"{data}.crash")
        self._ask("recover", data, facts, ticket)
        known = json.loads(facts.read_text()) if facts.exists() else {}
        crash = Crash(
            ticket=known.get("ticket", ticket), typed=TYPED, facts=known,
            customer=customer.read_text() if customer.exists() else "",
            arrived=arrived, finally_arrived=self._arrivals(start, ""), said=self._warm.complaints(),
        )  # fmt: skip
        for left in (data, data.with_name(data.name + ".crash")):
            shutil.rmtree(left)
        customer.unlink(missing_ok=True)
        facts.unlink(missing_ok=True)
        return crash, log

    def _traced(self, data: Path, customer: Path, ticket: str, point: Point | None) -> str:
        pid = self._warm.begin(_job("order", data, customer, ticket, traced=True))["pid"]
        log = data.with_suffix(".strace")
        while not customer.exists():  # its ready mark: from here on nothing but the checkout is to be counted
            time.sleep(0.001)
        fault = f"{point.call}:signal=SIGKILL:when={point.number}" if point else None
        return self._warm.traced(pid, log, fault)

    def _arrivals(self, start: float, log: str) -> Arrivals:
        connected = Counter(self._ports[int(port)] for port in _PORT.findall(log) if int(port) in self._ports)
        return Arrivals(
            connected=dict(connected),
            payments=[p.attempt for p in self.processor.received if p.at >= start],
            labels=[label.reference for label in self.ups.received if label.at >= start],
            mails=[str(mail.message["Message-ID"]) for mail in self.mail.received if mail.at >= start],
        )

    def _ask(self, kind: str, data: Path, out: Path, ticket: str) -> None:
        self._warm.ask(_job(kind, data, out, ticket, traced=False))


def _job(kind: str, data: Path, out: Path, ticket: str, *, traced: bool) -> dict[str, Any]:
    typed = {**TYPED, "ticket": ticket}
    return {"kind": kind, "data": str(data), "out": str(out), "now": NOW, "typed": typed, "traced": traced}


@contextmanager
def lanes(folder: Path, count: int = LANES) -> Iterator[list[Lane]]:
    """The lanes of a campaign, in `folder`.

    Raises:
        SetupError: there is no strace.
    """
    need_strace()
    with ExitStack() as stack:
        with ThreadPoolExecutor(count) as pool:
            made = list(pool.map(lambda n: Lane(folder / f"lane-{n}", stack), range(count)))
        yield made


def run(folder: Path, *, every: Mapping[str, int]) -> Figures:
    """The campaign: of each flow, each `every[flow]`th point."""
    start = time.monotonic()
    figures = Figures()
    with lanes(folder) as made:
        points = [point for flow in FLOWS for point in made[0].count(flow)[:: every[flow]]]
        figures.points = len(points)
        figures.by_call = Counter(point.call for point in points)

        def work(index: int) -> list[tuple[bool, list[str]]]:
            return [made[index].kill(point) for point in points[index::LANES]]

        with ThreadPoolExecutor(LANES) as pool:
            for killed, found in (result for results in pool.map(work, range(LANES)) for result in results):
                figures.killed += killed
                figures.violations += found
    figures.seconds = time.monotonic() - start
    return figures


def main() -> int:
    """The whole campaign from the command line; the exit status says whether everything held."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="avow-kill-") as folder:
        every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
        figures = run(Path(folder) / "lanes", every=dict.fromkeys(FLOWS, every))
    for violation in figures.violations:
        sys.stdout.write(f"{violation}\n")
    numbers = {"points": figures.points, "killed": figures.killed, "violations": len(figures.violations)}
    figures_line = json.dumps({**numbers, "seconds": round(figures.seconds, 1), "by_call": figures.by_call})
    sys.stdout.write(figures_line + "\n")
    return 1 if figures.violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""Probing one site from end to end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from avow.language.checker import read
from avow.language.source import read_file
from avow.site.site import Site
from avow.testing.probing import (
    decisions,
    entrance,
    guessing,
    keeping,
    leaving,
    logs,
    mailing,
    own,
    resting,
    saying,
    showing,
    starting,
)
from avow.testing.probing.attempts import Deriving, Oracle
from avow.testing.probing.bench import Bench, Family, quiet
from avow.testing.probing.finding import Report
from avow.testing.probing.scratch import Peers, Scratch, local_peers
from avow.testing.probing.standin import Names, StandIn

#: The families of probes on the stand-in, in their order: the last ones change what the others look at.
FAMILIES: dict[str, Family] = {
    "decisions": decisions.probe,
    "keeping": keeping.probe,
    "showing": showing.probe,
    "entrance": entrance.probe,
    "guessing": guessing.probe,
    "saying": saying.probe,
    "logs": logs.probe,
    "leaving": leaving.probe,
    "mailing": mailing.probe,
    "starting": starting.probe,
    "resting": resting.probe,
}
#: Those that need somebody outside to be reached.
REACHING = ("leaving", "mailing", "starting")
#: The service's own records and pages.
OWN = "service"

#: Attempts for one rule, and of one kind at one door, unless it is said otherwise.
EACH, MOST = 16, 20

#: Told how many of how many families are done.
Progress = Callable[[int, int], None]


def probe(
    folder: Path,
    *,
    site: Site | None = None,
    only: Collection[str] = (),
    each: int = EACH,
    most: int = MOST,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Probe the site of a folder: its policy's stand-in, and the service itself where `site` is given.

    Args:
        folder: with its policy.md.
        site: what its app.py declares; it must not be open.
        only: families, by name; all by default.
        each: attempts for one rule.
        most: attempts of one kind at one door.
        progress: told how far it is.

    Raises:
        AvowError: the policy cannot be read, or the site does not open.
    """
    policy = site.policy_file if site is not None else folder / "policy.md"
    names = Names.of(site) if site is not None else None
    return probe_policy(policy, site=site, names=names, only=only, each=each, most=most, progress=progress)


def probe_policy(
    policy: Path,
    *,
    site: Site | None = None,
    names: Names | None = None,
    only: Collection[str] = (),
    each: int = EACH,
    most: int = MOST,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Probe one policy file, and a service on it; see `probe`. `names` are guessed where they are not given."""
    wanted = [name for name in (*FAMILIES, OWN) if not only or name in only]
    with tempfile.TemporaryDirectory(prefix="avow-probe-") as scratch:
        where = Path(scratch)
        reach = any(name in wanted for name in REACHING)
        with bench_of(policy, where, each=each, most=most, names=names, reach=reach) as bench:
            bench.report.rules.update(((rule.sentence.anchor, rule.text), 0) for rule in bench.reading.rules)
            for number, name in enumerate(wanted):
                progress(number, len(wanted))
                if name in FAMILIES:
                    FAMILIES[name](bench)
            if site is None:
                bench.report.without("the service's own pages, forms, records and mails", "the folder has no app.py")
            elif OWN in wanted:
                with local_peers(site, where / "own", cards=True) as peers:
                    own.probe(bench, site, where / "own", peers)
            progress(len(wanted), len(wanted))
            if "decisions" in wanted:
                _unreached(bench)
            return bench.report


def _unreached(bench: Bench) -> None:
    for (anchor, text), count in bench.report.rules.items():
        if not count:
            bench.report.without(f"#{anchor}: `{text}`", _why(text))


def _why(text: str) -> str:
    """Why no attempt was made for a rule."""
    if any(word in text for word in (" within ", " every ", " after ")):
        return "it is carried out when its time comes, which a probe does not wait for"
    if text.startswith(("must show", "must announce", "must mark", "must warn")):
        return "a notice that is due with more than a place, or at a place that no page of the stand-in has"
    if text.startswith("must"):
        return "a state of the house, which no flow shows"
    return "no flow of the declared words is one that it speaks of"


@contextmanager
def bench_of(
    policy: Path, folder: Path, *, each: int, most: int, names: Names | None = None, reach: bool = True
) -> Iterator[Bench]:
    """The stand-in of a policy on a scratch installation in `folder`, with two people in it."""
    _, text = read_file(policy)
    reading = read(text, str(policy), policy.parent)
    slow = Oracle(reading)
    deriving = Deriving(reading, slow, each)
    standin = StandIn(policy, reading, names or Names.guessed(reading), deriving, folder)
    report = Report(reading.front.site)
    with local_peers(standin.site, folder) if reach else nullcontext(Peers()) as peers, quiet():
        scratch = Scratch(standin.site, folder, peers)
        try:
            bench = Bench(policy, reading, slow, deriving, report, standin, scratch, most)
            bench.plant()
            yield bench
        finally:
            scratch.close()
            standin.record.registry.dispose()  # or its classes would stay mapped for as long as the process lives

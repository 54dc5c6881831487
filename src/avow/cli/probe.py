"""`avow probe`: try what a site's policy forbids, on a scratch copy, and tell what got through."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from avow.cli.progress import bar
from avow.cli.serve import load_site
from avow.errors import SetupError
from avow.testing.probing.finding import Report

_WIDTH = 110


def probe(folder: Path, as_json: bool, *, each: int, most: int, only: Sequence[str]) -> int:
    """Probe the site in `folder`; the exit status is 0 where nothing got through, 1 with holes, 2 for bad use.

    Raises:
        AvowError: the policy or the site cannot be read or opened.
    """
    from avow.testing.probing.run import FAMILIES, OWN
    from avow.testing.probing.run import probe as probe_site

    unknown = [name for name in only if name not in (*FAMILIES, OWN)]
    if unknown or not (folder / "policy.md").is_file():
        fault = f"there is no family `{unknown[0]}`" if unknown else f"`{folder}` has no policy.md"
        help = f"there are {', '.join((*FAMILIES, OWN))}" if unknown else "name the folder of a site"
        print(f"error: {SetupError(fault, help=help)}", file=sys.stderr)
        return 2
    site = load_site(folder) if (folder / "app.py").is_file() else None
    with bar("families of probes") as progress:
        report = probe_site(folder, site=site, only=only, each=each, most=most, progress=progress)
    if as_json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        _tell(report)
    return 1 if report.holes else 0


def _tell(report: Report) -> None:
    for hole in report.holes:
        for line in str(hole).splitlines():
            print(textwrap.fill(line, _WIDTH, subsequent_indent=" " * 20, break_long_words=False))
        print()
    if report.unprobed:
        print("Not probed:")
        for what, why in report.unprobed.items():
            print(textwrap.fill(f"  {what}: {why}", _WIDTH, subsequent_indent="    ", break_long_words=False))
        print()
    probed, all_of_them = report.sentences
    print(f"{report.site}: {report.total} attempts, {probed} of {all_of_them} sentences with rules")
    found = len(report.holes) + report.more
    told = f", of which {len(report.holes)} are told above" if report.more else ""
    print(f"{report.site}: {found} hole{'s' * (found != 1)}{told}" if found else f"{report.site}: nothing got through")

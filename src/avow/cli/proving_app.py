"""`avow probe` and `avow evidence`: their options; their work is imported when one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avow.cli.options import Data, Json, SiteFolder, Store


def probe(
    site: Annotated[
        Path, typer.Argument(help="The site's folder: policy.md and, if it has one, app.py.", metavar="SITE")
    ],
    as_json: Json = False,
    each: Annotated[int, typer.Option(min=1, max=500, help="Attempts for one rule, at most.", metavar="N")] = 16,
    most: Annotated[int, typer.Option(min=1, max=500, help="Attempts of one kind at one door.", metavar="N")] = 20,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this family of probes; give it again for another.", metavar="NAME")
    ] = None,
) -> None:
    """Try what a policy forbids, on a scratch copy of its site: status 1 if anything gets through."""
    from avow.cli.probe import probe as probe_site

    raise typer.Exit(probe_site(site, as_json, each=each, most=most, only=tuple(only or ())))


def evidence(
    site: SiteFolder,
    folder: Annotated[Path, typer.Argument(help="A new folder for the evidence.", metavar="FOLDER")],
    first: Annotated[str | None, typer.Option("--from", help="Its first day. [default: the service's]")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Its last day, included. [default: today]")] = None,
    part: Annotated[bool, typer.Option("--only-period", help="Disclose no entries of other days.")] = False,
    data: Data = None,
    store: Store = None,
) -> None:
    """Write what became of each sentence of a policy, for an auditor, with a script that checks it."""
    from avow.cli.evidence import evidence as pack_evidence

    raise typer.Exit(pack_evidence(site, folder, data, store, first, last, part))

"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
SiteFolder = Annotated[Path, typer.Argument(help="The site's folder, with its policy.md.", metavar="SITE")]
Name = Annotated[str, typer.Argument(help="Their name, as they will type it.", metavar="NAME")]
Data = Annotated[Path | None, typer.Option(help="The site's data folder. [default: var/SITE]", metavar="DIR")]
Store = Annotated[str | None, typer.Option(help="Database URL. [default: SQLite in the data folder]", metavar="URL")]

Safe = Annotated[
    Path | None, typer.Option(help="Keep a copy here of what opens the backups, the newest only.", metavar="DIR")
]

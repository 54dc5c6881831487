"""`avow ledger …`: its commands and their options; their work is in `avow.cli.ledger`, imported when one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avow.cli.options import Data, SiteFolder, Store

ledger_app = typer.Typer(help="The record of every verdict that mattered.", no_args_is_help=True)

LogKey = Annotated[str, typer.Argument(help="The log's verifier key.", metavar="KEY")]


@ledger_app.command()
def verify(
    data: Annotated[Path, typer.Option(help="The site's data folder.", metavar="DIR")],
    store: Store = None,
    key: Annotated[
        str | None, typer.Option(help="The log's verifier key. [default: the keyring's]", metavar="KEY")
    ] = None,
) -> None:
    """Recompute the ledger up to its signed checkpoint, and name the first entry or tile that does not fit."""
    from avow.cli.ledger import verify as verify_ledger

    raise typer.Exit(verify_ledger(data, store, key))


@ledger_app.command()
def recount(site: SiteFolder, data: Data = None, store: Store = None) -> None:
    """Count the figures of the sentences anew from the entries, once these verify; the ledger notes that."""
    from avow.cli.ledger import recount as recount_ledger

    raise typer.Exit(recount_ledger(site, data, store))


@ledger_app.command("export")
def export_ledger(
    site: SiteFolder,
    folder: Annotated[Path, typer.Argument(help="A new folder for the log.", metavar="FOLDER")],
    data: Data = None,
    store: Store = None,
    origin: Annotated[
        str | None, typer.Option(help="Another name for the log. [default: its own]", metavar="NAME")
    ] = None,
    bodies: Annotated[
        Path | None, typer.Option(help="Also write what the entries stand for, for an auditor.", metavar="FILE")
    ] = None,
) -> None:
    """Write the ledger as a transparency log that outsiders verify, with its own tools or with Go's."""
    from avow.cli.ledger import export

    raise typer.Exit(export(site, folder, data, store, origin, bodies))


@ledger_app.command("check")
def check_log(
    key: LogKey,
    folder: Annotated[Path | None, typer.Argument(help="A log's folder.", metavar="FOLDER")] = None,
    receipt: Annotated[Path | None, typer.Option(help="A receipt (*.tlog-proof).", metavar="FILE")] = None,
    body: Annotated[
        Path | None, typer.Option(help="The body it is for. [default: the one in the receipt]", metavar="FILE")
    ] = None,
) -> None:
    """Verify a log that was exported, or a receipt. Needs no installation."""
    from avow.cli.ledger import check as check_exported

    raise typer.Exit(check_exported(key, folder, receipt, body))


@ledger_app.command("prove")
def prove_entry(
    key: LogKey,
    folder: Annotated[Path, typer.Argument(help="A log's folder.", metavar="FOLDER")],
    body: Annotated[Path, typer.Argument(help="What the entry stands for: a line of --bodies.", metavar="BODY")],
) -> None:
    """Print the receipt that a log has an entry: proof for whoever holds it, whatever becomes of the log."""
    from avow.cli.ledger import prove

    raise typer.Exit(prove(folder, key, body))

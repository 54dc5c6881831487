"""`avow attest …`: its commands and their options; their work is in `avow.cli.attest`, imported when one is called."""

from __future__ import annotations

from typing import Annotated

import typer

from avow.cli.options import Data, SiteFolder, Store

attest_app = typer.Typer(help="Signatures for what the software cannot see.", no_args_is_help=True)

Anchor = Annotated[str, typer.Argument(help="The sentence's anchor.", metavar="ANCHOR")]
Signer = Annotated[str, typer.Option("--as", help="The name of the member of staff who signs.", metavar="NAME")]


@attest_app.command()
def show(site: SiteFolder, data: Data = None, store: Store = None) -> None:
    """List the sentences that need a signature, and how each stands; the status is 1 while one lacks it."""
    from avow.cli.attest import show as show_states

    raise typer.Exit(show_states(site, data, store))


@attest_app.command()
def sign(site: SiteFolder, anchor: Anchor, name: Signer, data: Data = None, store: Store = None) -> None:
    """Sign for a sentence; the password is asked for, or taken from standard input."""
    from avow.cli.attest import sign as sign_sentence

    raise typer.Exit(sign_sentence(site, anchor, name, data, store))


@attest_app.command()
def withdraw(site: SiteFolder, anchor: Anchor, name: Signer, data: Data = None, store: Store = None) -> None:
    """End a signature before its time: what hangs on it is refused from then on."""
    from avow.cli.attest import withdraw as withdraw_signature

    raise typer.Exit(withdraw_signature(site, anchor, name, data, store))

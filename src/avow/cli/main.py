"""The commands and their options. Each command's work is a module of its own, imported when it is called.

An AvowError, or what the database says, ends any command with its message and help on stderr, without a traceback, and
status 1. An interrupt does so with a word on what that means, and status 130.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from avow.cli import print_version
from avow.cli.attest_app import attest_app
from avow.cli.ending import INTERRUPTED, in_words
from avow.cli.ledger_app import ledger_app
from avow.cli.options import Data, Json, Name, Safe, SiteFolder, Store
from avow.cli.proving_app import evidence, probe
from avow.errors import PolicyError

app = typer.Typer(
    help="Avow runs the privacy policy that you publish.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(ledger_app, name="ledger")
app.add_typer(attest_app, name="attest")
staff_app = typer.Typer(help="Who may come to a site's desks.", no_args_is_help=True)
app.add_typer(staff_app, name="staff")

keys_app = typer.Typer(help="The keys of an installation.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
transfer_app = typer.Typer(help="People who go to another installation, or come from one.", no_args_is_help=True)
app.add_typer(transfer_app, name="transfer")
retention_app = typer.Typer(help="What has to be gone in time.", no_args_is_help=True)
app.add_typer(retention_app, name="retention")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    try:
        app(args=list(arguments), prog_name="avow")
    except PolicyError as error:
        print(error, file=sys.stderr)  # every diagnostic is headed `error:` itself
        return 1
    except SystemExit as end:
        if end.code == INTERRUPTED and arguments[:1] != ["serve"]:  # that is how a service is ended
            print("interrupted: nothing is left half done. Run it again; it begins anew or goes on.", file=sys.stderr)
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:
        said = in_words(error)
        if said is None:
            raise
        print(f"error: {said}", file=sys.stderr)
        return 1
    return 0


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Answer the option of the whole command, however it is combined."""
    if version:
        print_version()
        raise typer.Exit


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The folder to make; its name is the site's.", metavar="NAME")],
) -> None:
    """Make a folder with a small policy and a site that runs on it."""
    from avow.cli.new import new as new_site

    raise typer.Exit(new_site(folder))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Policy files.", metavar="FILE...")],
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let every warning be an error.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show each sentence with its rules in English.")] = False,
) -> None:
    """Show a policy's errors and warnings, and which of its sentences are enforced, attested or informational."""
    from avow.cli.check import check as check_files

    raise typer.Exit(check_files(files, as_json, strict=strict, explain=explain))


@app.command()
def fmt(
    files: Annotated[list[Path], typer.Argument(help="Policy files.", metavar="FILE...")],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a file would change.")] = False,
) -> None:
    """Lay out the rules of a policy; its prose stays as it is."""
    from avow.cli.fmt import fmt as fmt_files

    raise typer.Exit(fmt_files(files, check))


@app.command()
def ask(
    file: Annotated[Path, typer.Argument(help="Policy file.", metavar="FILE")],
    flow: Annotated[str, typer.Argument(help='For example "share contact.email with ups for advertising".')],
) -> None:
    """Ask a policy whether a flow is permitted, and by which sentence."""
    from avow.cli.ask import ask as ask_policy

    raise typer.Exit(ask_policy(file, flow))


@app.command()
def serve(
    site: Annotated[Path, typer.Argument(help="The site's folder: policy.md, app.py, pages.", metavar="SITE")],
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback needs --cert.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[
        Path | None, typer.Option(help="Folder for database, keys and checkpoint. [default: var/SITE]", metavar="DIR")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="How the site is reached from outside: https://shop.example", metavar="URL")
    ] = None,
    store: Store = None,
    local_peers: Annotated[
        bool, typer.Option("--local-peers", help="Also start a card processor, carriers and a mailbox on loopback.")
    ] = False,
    cert: Annotated[Path | None, typer.Option(help="TLS certificate chain (PEM).", metavar="FILE")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS private key (PEM).", metavar="FILE")] = None,
    endpoints: Annotated[Path | None, typer.Option(help="YAML or JSON file: recipient to URL.", metavar="FILE")] = None,
    ca: Annotated[
        Path | None, typer.Option(help="The only authority to trust for recipients (PEM).", metavar="FILE")
    ] = None,
    inbox: Annotated[
        str | None, typer.Option(help="Take mail to the published address here.", metavar="HOST:PORT")
    ] = None,
    safe: Safe = None,
    device: Annotated[
        str | None, typer.Option(help="PKCS#11 URI of the token where a new site makes its keys.", metavar="URI")
    ] = None,
    ledger_every: Annotated[
        float | None,
        typer.Option(help="Seconds between integrations of the ledger. [default: 3600; local peers: 10]"),
    ] = None,
    formerly: Annotated[
        str | None, typer.Option(help="The site's name in the policies before, if it has another now.", metavar="NAME")
    ] = None,
    no_demo: Annotated[
        bool, typer.Option("--no-demo", help="Without the examples that the first start with local peers makes.")
    ] = False,
) -> None:
    """Serve a site."""
    from avow.cli.installation import folder_of
    from avow.cli.serve import serve as serve_site

    status = serve_site(
        site,
        host=host,
        port=port,
        base=base,
        data=folder_of(site, data),
        store=store,
        local_peers=local_peers,
        cert=cert,
        key=key,
        endpoints=endpoints,
        ca=ca,
        inbox=inbox,
        safe=safe,
        device=device,
        demo=not no_demo,
        formerly=formerly,
        ledger_every=ledger_every,
    )
    raise typer.Exit(status)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The version in force.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="The version to come.", metavar="NEW")],
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page for readers.", metavar="FILE")] = None,
) -> None:
    """Show what a new version protects less: status 0 not weaker, 3 weaker, 4 new purpose, 5 incomparable."""
    from avow.cli.diff import diff as diff_policies

    raise typer.Exit(diff_policies(old, new, as_json, html))


@app.command()
def trace(
    as_json: Json = False,
    site: Annotated[str | None, typer.Option(help="Only this site's rows.")] = None,
    root: Annotated[Path, typer.Option(help="The repository's root.", metavar="DIR")] = Path(),
) -> None:
    """Show, for every promise row, the sentences and rules that make it and the tests that show it."""
    from avow.cli.trace import trace as trace_promises

    raise typer.Exit(trace_promises(root, site, as_json))


app.command()(probe)
app.command()(evidence)


@app.command()
def outbox(
    data: Annotated[Path, typer.Option(help="The site's data folder.", metavar="DIR")],
    store: Store = None,
    again: Annotated[
        str | None, typer.Option(help="Send again what failed: to this recipient, or this message.", metavar="NAME")
    ] = None,
) -> None:
    """Show how the sends to recipients and people stand: status 3 if any has failed for good."""
    from avow.cli.outbox import outbox as show_outbox

    raise typer.Exit(show_outbox(data, store, again))


@app.command()
def backup(
    site: SiteFolder,
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.", metavar="FOLDER")],
    data: Data = None,
    store: Store = None,
    safe: Safe = None,
) -> None:
    """Back up everything but the keys, while the site may run; copy the keys to a place of their own."""
    from avow.cli.backup import backup as back_up

    raise typer.Exit(back_up(site, data, store, folder, safe))


@app.command()
def restore(
    site: SiteFolder,
    folder: Annotated[
        Path | None,
        typer.Argument(help="What `avow backup` made; leave it out to mend the database.", metavar="FOLDER"),
    ] = None,
    data: Data = None,
    store: Store = None,
) -> None:
    """Put a backup into an empty database, with the newest keys; whoever was erased since is erased again."""
    from avow.cli.backup import restore as put_back

    raise typer.Exit(put_back(site, data, store, folder))


@app.command()
def seal(
    site: SiteFolder,
    data: Data = None,
    store: Store = None,
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Rows of one transaction.", metavar="ROWS")] = 500,
    no_clean: Annotated[
        bool, typer.Option("--no-clean", help="Leave free pages and logs for later: cleaning them holds up writers.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Also print the statements that drop the old columns.")] = False,
) -> None:
    """Take over what lies in the clear in a site's old tables, while it may run: status 3 if something is left."""
    from avow.cli.seal import seal as take_over

    raise typer.Exit(take_over(site, data, store, batch=batch, clean=not no_clean, drop=drop))


@retention_app.command("due")
def retention_due(site: SiteFolder, data: Data = None, store: Store = None) -> None:
    """Show what the policy says must be gone, and when it will be: status 3 if something is overdue."""
    from avow.cli.retention import due

    raise typer.Exit(due(site, data, store))


@keys_app.command("status")
def keys_status(site: SiteFolder, data: Data = None, store: Store = None) -> None:
    """Show the key epochs, and how many people are under each."""
    from avow.cli.keys import status

    raise typer.Exit(status(site, data, store))


@keys_app.command("rotate")
def keys_rotate(site: SiteFolder, data: Data = None, store: Store = None) -> None:
    """Create a key epoch and wrap everybody's key under it, while the site may run."""
    from avow.cli.keys import rotate

    raise typer.Exit(rotate(site, data, store))


@keys_app.command("destroy-epoch")
def keys_destroy(
    site: SiteFolder,
    epoch: Annotated[int, typer.Argument(help="The newest of those to destroy.", metavar="EPOCH")],
    data: Data = None,
    store: Store = None,
    safe: Safe = None,
) -> None:
    """Destroy the key epochs up to one, so that whoever was erased is out of reach in every copy."""
    from avow.cli.keys import destroy_epoch

    raise typer.Exit(destroy_epoch(site, data, store, epoch, safe))


@transfer_app.command("key")
def transfer_key(
    site: SiteFolder,
    data: Data = None,
    store: Store = None,
    out: Annotated[Path | None, typer.Option(help="File for the card. [default: SITE.card]", metavar="FILE")] = None,
    bound_to: Annotated[
        Path | None, typer.Option("--bind", help="Bind this side to the policy of a card.", metavar="CARD")
    ] = None,
) -> None:
    """Write the card by which others seal packages to this installation, and know those that it packs."""
    from avow.cli.transfer import key

    raise typer.Exit(key(site, data, store, out, bound_to))


@transfer_app.command("pack")
def transfer_pack(
    site: SiteFolder,
    to: Annotated[Path, typer.Option(help="The card of the receiver.", metavar="CARD")],
    out: Annotated[Path, typer.Option(help="A new file for the package.", metavar="FILE")],
    data: Data = None,
    store: Store = None,
    people: Annotated[str, typer.Option(help="`all`, or a file of ids, one in a line.", metavar="WHO")] = "all",
    without: Annotated[
        list[str] | None, typer.Option(help="Leave out the records of a table; give it again for another.")
    ] = None,
    recipient: Annotated[str | None, typer.Option(help="Who they are in the policy. [default: it says]")] = None,
    purpose: Annotated[str | None, typer.Option(help="What for. [default: the policy says]")] = None,
    role: Annotated[str | None, typer.Option(help="In which role. [default: the policy says]")] = None,
    over: Annotated[str | None, typer.Option(help="Over which channel it goes. [default: the policy says]")] = None,
) -> None:
    """Pack people with their policy, consents and objections, as far as the policy lets them go along."""
    from avow.cli.transfer import pack

    terms = {"recipient": recipient, "purpose": purpose, "role": role, "channel": over}
    raise typer.Exit(pack(site, data, store, to, out, people, tuple(without or ()), terms))


@transfer_app.command("open")
def transfer_open(
    site: SiteFolder,
    file: Annotated[Path, typer.Argument(help="What `avow transfer pack` wrote.", metavar="FILE")],
    sender: Annotated[Path, typer.Option("--from", help="The card of the sender.", metavar="CARD")],
    data: Data = None,
    store: Store = None,
) -> None:
    """Take people over, still bound to the policy that they come under: all of the package, or nothing."""
    from avow.cli.transfer import take

    raise typer.Exit(take(site, data, store, file, sender))


@staff_app.command("add")
def add_staff(
    site: SiteFolder,
    name: Name,
    role: Annotated[list[str], typer.Option(help="A role of the policy; give it again for another.", metavar="ROLE")],
    data: Data = None,
) -> None:
    """Add a member of staff, or give one another password and other roles. The password is asked for."""
    from avow.cli.staff import add

    raise typer.Exit(add(site, data, name, tuple(role)))


@staff_app.command("remove")
def remove_staff(site: SiteFolder, name: Name, data: Data = None) -> None:
    """Take a member of staff out."""
    from avow.cli.staff import remove

    raise typer.Exit(remove(site, data, name))


@staff_app.command("list")
def list_staff(site: SiteFolder, data: Data = None) -> None:
    """Show the members of staff and their roles."""
    from avow.cli.staff import show

    raise typer.Exit(show(site, data))

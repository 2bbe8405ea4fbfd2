"""Start the review desk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.migrate.cli.options import project_option
from casebridge.migrate.web.serve import is_loopback, serve
from casebridge.migrate.web.visit import House
from casebridge.project.errors import CasebridgeError
from casebridge.project.urls import FILE

DEMO = Path("demo/project")


@click.command()
@project_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8300, show_default=True, help="0: any that is free."
)
@click.option(
    "--name", "names", multiple=True, metavar="HOST[:PORT]", help="A name under which a proxy reaches it."
)
@click.option("--behind-tls", is_flag=True, help="A proxy in front speaks TLS: cookies travel no other way.")
def review(folder: Path, host: str, port: int, names: tuple[str, ...], behind_tls: bool) -> None:
    """Open the review desk in the browser.

    On this machine only, unless --host says otherwise. `runbooks/desk.md` says how to put TLS in front.
    """
    if not is_loopback(host) and not behind_tls:
        raise CasebridgeError(
            "people's records must not travel in the clear",
            hint="put TLS in front and say --behind-tls, --name (runbooks/desk.md); or stay on 127.0.0.1",
        )

    def told(address: str, house: House) -> None:
        click.echo(f"the review desk: {address}   (Ctrl-C ends it)")
        if house.demo:
            click.echo("the made-up council: sign in as anybody on the page, no password", err=True)
        elif not house.accounts.all():
            add = 'casebridge account add LOGIN --name "NAME" --role reviewer'
            click.echo(f"nobody can sign in yet: `{add}`", err=True)

    serve(_or_demo(folder), host, port, names, secure=behind_tls, told=told)


def _or_demo(folder: Path) -> Path:
    """The demo that was made here, for somebody who is in no project."""
    if folder == Path() and not (folder / FILE).exists() and (DEMO / FILE).exists():
        click.echo(f"no project here: this is the demo in {DEMO}", err=True)
        return DEMO
    return folder


COMMANDS: Mapping[str, click.Command] = {"review": review}
"""The command that opens the desk."""

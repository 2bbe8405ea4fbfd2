"""Start the desk: on loopback unless told otherwise, with a socket that does not wait (TCP_NODELAY)."""

from __future__ import annotations

import gc
import importlib
import ipaddress
import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from casebridge.dedupe.review.desk import Desk
from casebridge.migrate.web.accounts import Accounts
from casebridge.migrate.web.app import make_app
from casebridge.migrate.web.pages.sign_in import DEMO
from casebridge.migrate.web.sessions import Sessions
from casebridge.migrate.web.visit import PAGES, House, SignOn
from casebridge.project.errors import CasebridgeError
from casebridge.project.private import private_files
from casebridge.project.settings import Settings, read_settings

MARKER = "demo.json"
"""What `casebridge demo` leaves beside its project."""


def is_demo(settings: Settings) -> bool:
    """Whether this is the project that `casebridge demo` made: its marker stands above it, and its only dump."""
    marker = settings.folder.parent / MARKER
    if not marker.is_file():
        return False
    try:
        made = json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        return False
    dumps = {system.dump for system in settings.systems.values()}
    return set(made) == {"people", "seed"} and dumps == {settings.folder.parent / "dump"}


def open_house(folder: Path, *, host: str = "127.0.0.1", secure: bool = False) -> House:
    """The desk of a project with its accounts. The demo's people are in the demo only, and on loopback only."""
    settings = read_settings(folder)
    demo = is_demo(settings) and is_loopback(host)
    desk = Desk(settings)
    accounts = Accounts(desk.engine, desk.clock)
    for login, name, role, cleared in DEMO if demo else ():
        accounts.add_demo(login, name, role, clearance=cleared)
    return House(desk, accounts, Sessions(desk.engine, desk.clock), demo, secure, _sign_on(settings.folder))


def _sign_on(folder: Path) -> SignOn | None:
    """The council's single sign-on, where `sso.toml` names one. What it needs comes with an extra."""
    if not (folder / "sso.toml").is_file():
        return None
    try:
        module = importlib.import_module("casebridge.migrate.web.single_sign_on")
    except ModuleNotFoundError as error:
        what = f"single sign-on needs {error.name}, which is not installed"
        raise CasebridgeError(what, hint='pip install "casebridge[sso]"') from error
    made: SignOn = module.open_single_sign_on(folder)
    return made


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach a host name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    folder: Path, host: str, port: int, names: Sequence[str], *, secure: bool, told: Callable[[str, House], None]
) -> None:
    """Serve until stopped. names: further host names, with ports, under which the desk is reached. told: is called
    with the address once the desk listens."""
    with private_files():
        house = open_house(folder, host=host, secure=secure)
        _read_ahead(house)
        listening = _listen(host, port)
        bound = listening.getsockname()[1]
        hosts = [*names, *(f"{name}:{bound}" for name in {host, "localhost", "127.0.0.1"})]
        told(f"http://{'localhost' if is_loopback(host) else host}:{bound}", house)
        config = uvicorn.Config(
            make_app(house, hosts), log_level="warning", access_log=False, server_header=False, lifespan="off",
            proxy_headers=False, timeout_graceful_shutdown=3, h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            listening.close()
            house.desk.close()


def _read_ahead(house: House) -> None:
    """Have everything in memory before anybody comes. What is read stays: nothing looks for waste in it while it
    is read, and never again after it."""
    gc.disable()
    try:
        for name in PAGES.list_templates():
            PAGES.get_template(name)
        house.desk.read_ahead()
    except CasebridgeError:
        pass  # each page says why there is nothing to show, until there is
    finally:
        gc.enable()
        gc.freeze()


def _listen(host: str, port: int) -> socket.socket:
    """Named as TCP, so that asyncio sends small answers at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        hint = "another program listens there: choose a port with --port, or 0 for any that is free"
        raise CasebridgeError(f"the desk cannot listen on {host}:{port}: {error.strerror}", hint=hint) from error
    return listening

"""Somebody who walks through the shop with a browser, and notes which of its routes were come to, and how.

Their browser runs no scripts. While a page is looked at they may run for a moment, for axe-core; those of the page were
passed over when it was loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import Match, Route

from .conftest import Gourmet, Peers
from .looks import Looks

#: What a page would run if it could.
SCRIPT = re.compile(r"<script\b|\bon[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)

#: The routes whose pages have a script: the one for passkeys.
SCRIPTED = {"/login", "/account"}


@dataclass
class Stage:
    """The shop behind a server, its peers, and what was seen of it. `base` is where it is, under a name.

    `came` holds method and path of each route that a browser without scripts came to, `scripted` those of the others.
    `receipt` is the path of a receipt for an erasure that waits.
    """

    gourmet: Gourmet
    peers: Peers
    base: str
    chromium: Any
    looks: Looks
    came: set[tuple[str, str]] = field(default_factory=set)
    scripted: set[tuple[str, str]] = field(default_factory=set)
    receipt: str = ""

    @property
    def routes(self) -> list[Route]:
        """Every route that serves pages."""
        return [route for route in self.gourmet.site.routes if isinstance(route, Route)]

    def route_of(self, method: str, path: str) -> str:
        """The path of the route that serves a path; empty if none does."""
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        return next((route.path for route in self.routes if route.matches(scope)[0] is Match.FULL), "")

    @contextmanager
    def visitor(self, *, scripts: bool = False, **options: Any) -> Iterator[Walk]:
        """Somebody with a browser of their own; scripts run in it only where it is asked for."""
        context = self.chromium.new_context(**options)
        try:
            yield Walk(self, context, scripts)
        finally:
            context.close()


class Walk:
    """One browser, at one page."""

    def __init__(self, stage: Stage, context: Any, scripts: bool) -> None:
        self.stage = stage
        self.context = context
        self.scripts = scripts
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.session = context.new_cdp_session(self.page)
        self._let_run(scripts)
        self.page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if request.resource_type == "document" and request.url.startswith(self.stage.base):
            route = self.stage.route_of(request.method, urlsplit(request.url).path)
            (self.stage.scripted if self.scripts else self.stage.came).add((request.method, route))

    def _let_run(self, scripts: bool) -> None:
        # Not the context's own option: with that, axe-core would wait for ever.
        self.session.send("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def go(self, path: str) -> None:
        """Type in an address of the shop."""
        self.page.goto(self.stage.base + path)

    def follow(self, name: str) -> None:
        """Follow the first link of the page's own part with that name."""
        with self.page.expect_navigation():
            self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def fill(self, **typed: str) -> None:
        """Type into fields, by their ids."""
        for name, text in typed.items():
            self.page.locator(f"#{name}").fill(text)

    def choose(self, label: str) -> None:
        """Choose what stands beside a button or box."""
        self.page.get_by_label(label).check()

    def press(self, name: str, *, unchecked: bool = False) -> None:
        """Press the first button with that name. `unchecked`: the browser sends what it would find wrong itself."""
        if unchecked:
            self.page.evaluate("for (const form of document.forms) form.noValidate = true")
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).first.click()

    def take(self, name: str) -> str:
        """Follow the first link with that name to a file, and take it along; the text of the file."""
        with self.page.expect_download() as download:
            self.page.get_by_role("main").get_by_role("link", name=name).first.click()
        return str(download.value.path().read_text(encoding="utf-8"))

    def text(self, within: str = "main") -> str:
        """What one reads in a part of the page."""
        return str(self.page.locator(within).inner_text())

    @property
    def path(self) -> str:
        """The page's path."""
        return str(urlsplit(self.page.url).path)

    def look(self, name: str, heading: str, *, shown: bool = False, top: str = "body") -> None:
        """Look at the page, which has this heading and no other of its rank."""
        found = self.page.get_by_role("heading", level=1).all_inner_texts()
        assert found == [heading], f"{name}: {found}"
        route = self.stage.route_of("GET", self.path)
        if SCRIPT.search(self.page.content()) and route not in SCRIPTED:
            self.stage.looks.faults.append(f"{name} has a script")
        self._let_run(True)
        self.stage.looks.look(self.page, name, shown=shown, top=top)
        self._let_run(self.scripts)

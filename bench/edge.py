"""What the edge costs: filling markers in, searching for opened values, and whole pages of the shop.

Whole pages are asked of the shop as it is served (stripped request, unit of work, judged cookie and markers, ledger
entry, durable commit), and of a bare starlette application that renders the same template with the same words from
memory: no database, no commit. The two take turns. In process there is no network; behind uvicorn each is a
process of its own, asked over loopback on a few connections at once.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from avow.edge.guard import ExitGuard
from avow.edge.markers import fill_html, marker
from bench.figures import figure, in_turns
from sites.gourmet.catalogue import CATALOGUE, shelves
from sites.gourmet.forms import CARRIERS
from sites.gourmet.records import Order
from sites.gourmet.shop import site

ORDER = {
    "name": "Ann Example",
    "email": "ann@shop.example",
    "street": "1 Market Lane",
    "city": "Exampleton",
    "postcode": "12345",
    "country": "Exampleland",
    "items": "2 × Comté, 18 months\n1 × Chestnut honey\nUPS Ground: $8.50",
    "note": "Please ring twice, & leave it with <Bob>",
}
importlib.import_module("sites.gourmet.app")  # declares the pages
CONNECTIONS = 4
TURNS, REQUESTS = 12, 100

App = Callable[..., Awaitable[None]]


#: Two pages at the ends of what occurs: sentences, and a table with a tag every thirteen characters.
FILLERS = {
    "prose": f"<p>{'Cheese cut to order, ham from the hills, oil pressed the same day. ' * 8}</p>\n",
    "a table": '<tr class="row"><td><a href="/products/comte">Comté</a></td><td>aged in a cellar</td></tr>\n',
}


def purely() -> None:
    """The two steps of the door that read a whole page, on 50 KB."""
    nonce, values = "0123456789ab", [f"value-{number} of Ann & Bob" for number in range(10)]
    guard, plain = ExitGuard(), [value.encode() for value in values]
    for value in values:
        guard.watch("contact.name", value)
    for kind, filler in FILLERS.items():
        part = filler * (5000 // len(filler.encode()))
        page = "".join(f"{part}<p>{marker(nonce, number)}</p>" for number in range(10))
        taken = in_turns(_steps(page, nonce, values, guard, plain), 300)
        figure("edge", f"fill_html, 50 KB of {kind} with ten values", taken["fill"].processor, "µs", 70, digits=1)
        words = f"guard.search, 50 KB of {kind} for ten values in every encoding, beside `in` for each as it is"
        figure("edge", words, taken["search"].processor, "µs", taken["plain"].processor, digits=1)


def _steps(
    page: str, nonce: str, values: list[str], guard: ExitGuard, plain: list[bytes]
) -> dict[str, Callable[[], object]]:
    body = page.encode()
    return {
        "fill": lambda: fill_html(page, nonce, values.__getitem__),
        "search": lambda: guard.search(body),
        "plain": lambda: [value in body for value in plain],
    }


def place_order() -> str:
    """Put a paid order into the opened shop; the secret of its page."""
    with site.acting("storefront", "ordering", place="checkout", channel="loopback") as work:
        order = work.collect(
            Order,
            person=work.person(),
            **ORDER,
            cents=6980,
            carrier="ups",
            status="paid",
            ticket=secrets.token_hex(8),
        )
        work.update(order, source="processor", last4="4242", authorisation="A-1029384756")
        return work.secret(order)


def bare(token: str) -> App:
    """A starlette application that renders the shop's templates and does nothing else."""
    pages = Environment(loader=FileSystemLoader("sites/gourmet/pages"), autoescape=True, auto_reload=False)
    order = SimpleNamespace(
        **ORDER, unit=None, region=None, tracking=None, last4="4242", authorisation="A-1029384756",
        status="paid", price="$69.80",
    )  # fmt: skip
    csrf = Markup('<input type="hidden" name="csrf" value="0">')

    def show(template: str, **context: Any) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            words = {"csrf": csrf, "policy": site.policy, "path": request.url.path, "count": 0, **context}
            return HTMLResponse(pages.get_template(template).render(words))

        return endpoint

    product = CATALOGUE["comte"]
    beside = [other for other in CATALOGUE.values() if other.shelf != product.shelf][:4]
    return Starlette(
        routes=[
            Route("/", show("home.html", shelves=shelves())),
            Route("/products/comte", show("product.html", product=product, limit=20, beside=beside)),
            Route(
                f"/order/{token}",
                show("order.html", order=order, carrier=CARRIERS["ups"].label, here="/", pay="/"),
            ),
        ]
    )


def visits(token: str) -> dict[str, tuple[str, bool]]:
    """What is asked for: a path, and whether the visitor comes from a page of the shop itself."""
    return {
        "home page": ("/", True),
        "home page, entered from outside": ("/", False),
        "product page": ("/products/comte", True),
        "order page": (f"/order/{token}", True),
    }


# -- in process ---------------------------------------------------------------------------------------


async def ask(app: App, path: str, inside: bool) -> None:
    """One GET, without a network."""
    headers = [(b"host", b"127.0.0.1:8000"), (b"user-agent", b"Mozilla/5.0 (X11) Firefox/128.0"), (b"accept", b"*/*")]
    if inside:
        headers.append((b"referer", b"http://127.0.0.1:8000/cart"))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 40000), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    assert status == 200, f"{path} answered {status}"


async def in_process(apps: dict[str, App], path: str, inside: bool) -> dict[str, list[float]]:
    """Seconds of each request, by side."""
    taken: dict[str, list[float]] = {side: [] for side in apps}
    for turn in range(-20, TURNS * REQUESTS // 4):
        for side, app in apps.items():
            start = time.perf_counter()
            await ask(app, path, inside)
            if turn >= 0:
                taken[side].append(time.perf_counter() - start)
    return taken


# -- behind uvicorn -----------------------------------------------------------------------------------


def serve(side: str, folder: str, token: str) -> None:
    """One side as a process of its own; says its port."""
    import uvicorn

    app: Any = site.open(folder, background=True).app if side == "shop" else bare(token)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", ws="none")
    # The protocol is named, or asyncio would not switch off Nagle's delay.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def served(side: str, folder: str, token: str) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.edge", side, folder, token]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield int(line or sys.exit(f"error: the {side} side did not start"))
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def over_loopback(ports: dict[str, int], path: str, inside: bool) -> dict[str, tuple[float, list[float]]]:
    """Requests per second and the seconds of each, by side: median second of the turns, all requests."""
    connections = {
        side: [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        for side, port in ports.items()
    }
    rates: dict[str, list[float]] = {side: [] for side in ports}
    taken: dict[str, list[float]] = {side: [] for side in ports}

    async def visit(side: str, pair: tuple[asyncio.StreamReader, asyncio.StreamWriter], times: list[float]) -> None:
        reader, writer = pair
        referer = f"Referer: http://127.0.0.1:{ports[side]}/cart\r\n" if inside else ""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{ports[side]}\r\n{referer}\r\n".encode()
        for _ in range(REQUESTS // CONNECTIONS):
            start = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            times.append(time.perf_counter() - start)

    for turn in range(-1, TURNS):
        for side, pairs in connections.items():
            times: list[float] = []
            start = time.perf_counter()
            await asyncio.gather(*(visit(side, pair, times) for pair in pairs))
            if turn >= 0:
                rates[side].append(len(times) / (time.perf_counter() - start))
                taken[side] += times
    for pairs in connections.values():
        for _, writer in pairs:
            writer.close()
    return {side: (median(rates[side]), taken[side]) for side in ports}


# -- figures ------------------------------------------------------------------------------------------


def report(where: str, rates: dict[str, float], taken: dict[str, list[float]]) -> None:
    figure("edge", f"{where}, requests per second", rates["shop"], "1/s", rates["bare"], digits=0)
    cuts = {side: quantiles(times, n=100) for side, times in taken.items()}
    for name, cut in (("p50", 49), ("p99", 98)):
        figure("edge", f"{where}, {name}", cuts["shop"][cut] * 1e6, "µs", cuts["bare"][cut] * 1e6, digits=0)


def main() -> None:
    purely()
    with tempfile.TemporaryDirectory() as folder:
        opened = site.open(folder, background=False)
        token = place_order()
        apps: dict[str, App] = {"shop": opened.app, "bare": bare(token)}
        for name, (path, inside) in visits(token).items():
            taken = asyncio.run(in_process(apps, path, inside))
            report(f"{name}, in process", {side: len(times) / sum(times) for side, times in taken.items()}, taken)
        site.close()
        with ExitStack() as stack:
            ports = {side: stack.enter_context(served(side, folder, token)) for side in apps}
            for name, (path, inside) in visits(token).items():
                sides = asyncio.run(over_loopback(ports, path, inside))
                report(
                    f"{name}, uvicorn, {CONNECTIONS} connections",
                    {side: rate for side, (rate, _) in sides.items()},
                    {side: times for side, (_, times) in sides.items()},
                )


if __name__ == "__main__":
    serve(*sys.argv[1:]) if len(sys.argv) > 1 else main()

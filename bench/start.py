"""How soon the commands answer and the shop serves, as whole processes, and what the shop keeps in memory.

`against` is what the project allows itself; a ratio above 1 is too much. The first start of a site makes its keys and
its database; the later ones find them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.figures import figure

SITE = "sites/gourmet"
AVOW = (sys.executable, "-m", "avow")


def seconds(*arguments: str) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([*AVOW, *arguments], check=True, capture_output=True)
        return time.perf_counter() - start

    return min(once() for _ in range(5))


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def serve_once(data: str) -> tuple[float, float]:
    """Seconds until the first page is answered, and the resident megabytes of the process after it."""
    port = free_port()
    start = time.perf_counter()
    shop = subprocess.Popen(
        [*AVOW, "serve", SITE, "--port", str(port), "--data", data, "--local-peers"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                    page.read()
                break
            except (urllib.error.URLError, ConnectionError):
                if shop.poll() is not None or time.perf_counter() - start > 60:
                    sys.exit(f"error: {SITE} did not start\n{shop.stderr.read() if shop.stderr else ''}")
                time.sleep(0.01)
        ready = time.perf_counter() - start
        pages = int(Path(f"/proc/{shop.pid}/statm").read_text().split()[1])
        return ready, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    finally:
        shop.send_signal(signal.SIGINT)
        shop.communicate(timeout=20)


def main() -> None:
    figure("start", "avow --version", seconds("--version"), "s", 0.2)
    figure("start", "avow check, the shop's policy", seconds("check", f"{SITE}/policy.md"), "s", 0.5)
    with tempfile.TemporaryDirectory() as data:
        figure("start", "first start of the shop", serve_once(data)[0], "s", 10)
        runs = [serve_once(data) for _ in range(3)]
    figure("start", "start of the shop", min(ready for ready, _ in runs), "s", 2)
    figure("start", "resident memory of the shop", max(memory for _, memory in runs), "MB", 120)


if __name__ == "__main__":
    main()

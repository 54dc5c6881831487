"""Examples: what a site shows of itself when somebody tries it out for the first time.

    @site.demo
    def examples(demo):
        ann = demo.visitor()
        ann.send("/cart/add", {"sku": "comte", "quantity": "2"}, page="/products/comte")

`avow serve --local-peers` calls the function once, when the data folder is new. It goes through the site's own doors:
as visitors at the address that is served, and in units of work. So what it leaves behind came about like everything
else, with its verdicts, its sends to the peers and its entries in the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from avow.errors import AvowError

if TYPE_CHECKING:
    from avow.site.site import Acting, Site
    from avow.testing.visitor import Visitor

#: Seconds after the start before the examples begin: whoever opens the first page is not kept waiting by them.
PAUSE = 1.0

#: Seconds that the examples have to end in when the service stops.
LAST_STEP = 10.0


class Demo:
    """What examples are made with."""

    def __init__(self, site: Site, visitor: Callable[[], Visitor]) -> None:
        self._site = site
        self._visitor = visitor

    def visitor(self) -> Visitor:
        """A visitor at the site, with a browser of their own."""
        return self._visitor()

    def acting(self, role: str, purpose: str, **options: Any) -> Acting:
        """A unit of work; see `Site.acting`."""
        return self._site.acting(role, purpose, **options)


class Examples:
    """The making of a site's examples, in a thread of its own. The service goes on, whatever becomes of it.

    `tell` is given one line if they are not complete.
    """

    def __init__(self, site: Site, visitor: Callable[[], Visitor], tell: Callable[[str], None]) -> None:
        self._make = site.examples
        self._demo = Demo(site, visitor)
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="avow-examples", daemon=True)

    def start(self) -> None:
        """Begin soon."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no more, and wait for the step that is under way. The service has stopped answering before."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(LAST_STEP)

    def _run(self) -> None:
        if self._make is None or self._stopped.wait(PAUSE):
            return
        try:
            self._make(self._demo)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # told, and no reason to stop
            # A service that is being stopped answers no more a moment before it says so.
            if not self._stopped.wait(PAUSE):
                why = str(error).partition("\n")[0] if isinstance(error, AvowError) else type(error).__name__
                self._tell(f"The examples are not complete: {why}. The site works without them.")

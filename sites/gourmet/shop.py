"""The shop as a site: its policy, its pages, its pictures. Records and routes are declared on it."""

from __future__ import annotations

from pathlib import Path

from avow import Site

HERE = Path(__file__).parent

site = Site(
    HERE / "policy.md",
    pages=HERE / "pages",
    static=HERE / "static",
    links={
        "stop": "/stop/{secret}",
        "newsletter": "/newsletter/{secret}",
        "survey": "/survey/{secret}",
        "signup": "/signup/{secret}",
        "reset": "/login/reset/{secret}",
        "address": "/account/email/{secret}",
        "erasure": "/erase/{secret}",
    },
    offers={"unsubscribe": "stop", "stop_link": "stop"},
    # No program of the shop reaches these: people hand over what they get.
    by_hand=("successor", "authority", "protector", "fraud_network"),
)

"""The composition root: where a service is declared, opened and served."""

from __future__ import annotations

from avow.site.site import Site
from avow.site.work import Work

__all__ = ["Site", "Work"]

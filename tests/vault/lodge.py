"""A small site for what is derived and what is shown aside: a lodge whose guests have a word and a badge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal, plain

_POLICY = """\
---
site: lodge
title: Privacy at the lodge
version: "1"
effective: 2026-11-22
contact: {email: desk@lodge.example}
categories:
  name: user.name
  stay: user.behavior.purchase_history
  word: user.authorization.password
  word_hash: user.authorization.credentials.password_hash
  badge: user.behavior.loyalty
purposes:
  lodging: essential.service
  greeting: personalize.content
  thanks: functional.service
subjects: {customer: customer}
roles: {porter: {label: the porter}}
places: {gate: {label: the gate}, room: {label: the room}}
cookies: {token: {label: a token, purpose: greeting}}
---

# Privacy at the lodge

At the gate you give your name and a word, and say what you stayed for.

```avow #gate
may collect name, word, stay from customer at gate for lodging over https, loopback
may keep name, word_hash, stay about customer for lodging
```

Of the word we keep a hash.

```avow #word
may derive word_hash from word for lodging by porter
never keep word
```

Who stays often gets a badge.

```avow #badge
may derive badge from stay for thanks by porter
may keep badge about customer for thanks
```

We greet you by your name, wherever you show your token, unless you objected.

```avow #greet
may set cookie.token for greeting at gate, room
may open cookie.token for greeting
may show name, badge to customer at gate, room for greeting when presented(cookie.token)
never show name for greeting when objected(greeting)
```

In your room you see your stays.

```avow #room
may show name, stay to customer at room for lodging when presented(link)
```
"""


def lodge(folder: Path) -> Any:
    """A fresh site with its own records, on `site.Guest` and `site.Stay`."""
    folder.mkdir()
    (folder / "policy.md").write_text(_POLICY)
    site: Any = Site(folder / "policy.md")

    class Guest(site.Record):  # type: ignore[misc]
        __tablename__ = "lodge_guest"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("name", field="guest.name")
        word: Mapped[Sealed | None] = personal("word_hash", field="guest.word", optional=True)
        badge: Mapped[Sealed | None] = personal("badge", field="guest.badge", optional=True)
        objects: Mapped[bool] = plain("whether they object to being greeted", default=False)

    class Stay(site.Record):  # type: ignore[misc]
        __tablename__ = "lodge_stay"
        person: Mapped[str] = owner()
        what: Mapped[Sealed] = personal("stay", field="stay.what")

    @site.facts
    def known(work: Any, record: Any, recipient: str | None) -> dict[str, bool]:
        return {"objected(greeting)": bool(getattr(record, "objects", False))}

    site.Guest, site.Stay = Guest, Stay
    return site

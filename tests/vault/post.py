"""A small site whose rows are shared: letters between two people, parcels, and cards that both sign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, party, personal, plain


def post() -> Any:
    """A fresh site with records on `site.Neighbour`, `site.Letter`, `site.Parcel` and `site.Card`."""
    site: Any = Site(Path(__file__).parent / "post.md")

    class Neighbour(site.Record):  # type: ignore[misc]
        __tablename__ = "post_neighbour"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="neighbour.name")
        email: Mapped[Sealed] = personal("contact.email", field="neighbour.email", lookup="email")

    class Letter(site.Record):  # type: ignore[misc]
        """Whoever gets it keeps it; who wrote it goes without a trace of theirs but its words."""

        __tablename__ = "post_letter"
        writer: Mapped[str] = owner(erased="keep")
        reader: Mapped[str | None] = party(erased="keep")
        words: Mapped[Sealed] = personal("letter", field="letter.words")
        answer: Mapped[Sealed | None] = personal("contact.email", field="letter.answer", lookup="email", optional=True)
        stamp: Mapped[str] = plain("colour of the stamp", default="red")

    class Parcel(site.Record):  # type: ignore[misc]
        """Who gets it keeps that there was one; what is of the one who is erased is taken out."""

        __tablename__ = "post_parcel"
        sender: Mapped[str] = owner(erased="anonymise")
        receiver: Mapped[str | None] = party(erased="anonymise")
        sent_by: Mapped[Sealed | None] = personal("contact.name", field="parcel.sent_by", optional=True)
        sent_to: Mapped[Sealed | None] = personal("contact.name", field="parcel.sent_to", optional=True, of="receiver")

    class Card(site.Record):  # type: ignore[misc]
        """A card goes when either of the two goes."""

        __tablename__ = "post_card"
        one: Mapped[str] = owner(erased="delete")
        other: Mapped[str | None] = party(erased="delete")
        words: Mapped[Sealed] = personal("letter", field="card.words")

    site.Neighbour, site.Letter, site.Parcel, site.Card = Neighbour, Letter, Parcel, Card
    return site

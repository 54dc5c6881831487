"""A small site whose rows are shared: letters between two people, parcels, and cards that both sign."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Sealed, Site, moment, owner, party, personal, plain


def post() -> Any:
    """A fresh site with records on `site.Neighbour`, `Letter`, `Parcel`, `Card`, `Photo`."""
    site: Any = Site(Path(__file__).parent / "post.md")

    class Neighbour(site.Record):  # type: ignore[misc]
        __tablename__ = "post_neighbour"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="neighbour.name")
        email: Mapped[Sealed] = personal("contact.email", field="neighbour.email", lookup="email")
        asked: Mapped[float | None] = moment("asked", "when they asked to be erased", after=timedelta(days=7))

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
        arrived: Mapped[float | None] = moment("arrived", "when it came")

    class Photo(site.Record):  # type: ignore[misc]
        """The picture goes in time, who is on it stays."""

        __tablename__ = "post_photo"
        person: Mapped[str] = owner()
        picture: Mapped[Sealed | None] = personal("letter.picture", field="photo.picture", optional=True)
        shows: Mapped[Sealed] = personal("contact.name", field="photo.shows")
        arrived: Mapped[float | None] = moment("arrived", "when it came")

    site.Neighbour, site.Letter, site.Parcel, site.Card, site.Photo = Neighbour, Letter, Parcel, Card, Photo
    return site

"""Agreeing to a newer version of the policy for what the shop knew before; with an account, on its own pages.

What was given under an earlier version stays under it until then. The words that were agreed to and the day are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Mapped

from avow import Sealed, Work, owner, personal, plain
from avow.edge.form import Form

from .shop import site

if TYPE_CHECKING:
    from .account import Account

#: What a customer agrees to, as the button's page says it; kept as it was shown.
WORDS = "Version {version} of the policy may hold for what the shop knew about me before."


class Agreement(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One customer's yes to one version."""

    __tablename__ = "shop_agreement"
    __label__ = "What you agreed to"
    __choices__ = True

    customer: Mapped[str] = owner()
    agreed: Mapped[Sealed] = personal("subscription", field="agreement.agreed")
    version: Mapped[str] = plain("the digest of the version")


class Agree(Form):
    """The button."""


def asked(work: Work, account: Account) -> str | None:
    """The words that somebody is asked to agree to; None where everything is under the version in force, or as good."""
    question = work.question(account)
    return WORDS.format(version=question.version) if question is not None else None


def agree(work: Work, account: Account) -> None:
    """Keep the words; from then on the newer version holds for everything that this customer gave."""
    words = asked(work, account)
    if words is not None:
        digest = work.unit.vault.policy.digest
        work.collect(Agreement, person=account.avow_person, agreed=words, version=digest)
        work.accept(account, words)

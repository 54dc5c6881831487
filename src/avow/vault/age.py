"""The age gate: how old somebody is, asked before anything else, and kept nowhere.

What a rule says of `age` (`never keep personal about person when age < 16`) is decided by whole years on the day. The
date of birth stays in memory, the years are a fact of this unit of work, and both end with it: what is kept, if
anything, is that somebody was old enough, and the service says so in the facts that it gives of them.

    years = ask_age(work.unit, form.given("born"))
    work.collect(Account, person=work.person(), name=form["name"])   # refused by the sentence if they are too young
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from avow.errors import SetupError
from avow.vault.sealed import Given

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: The purpose for which a date of birth is asked, unless another is said.
AGE_CHECK = "age_check"


def years_on(born: date, day: date) -> int:
    """Whole years on a day: one more from the birthday on, which after a 29 February is 1 March in most years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def ask_age(unit: Unit, born: Given, *, purpose: str = AGE_CHECK) -> int:
    """Take a date of birth as the answer to how old somebody is, today (UTC); their years.

    From then on the unit knows `age`, and that it was asked, which discharges `must ask … before …`.

    Args:
        born: YYYY-MM-DD, as `birth_date` in a form has it. It is judged as collected here, and kept nowhere.
        purpose: what it is asked for, by its name in the policy.

    Raises:
        Refused: it may not be asked here.
        SetupError: it is no date of the past.
    """
    whose, channel = unit.vault.subject, unit.channel
    unit.judge(
        "collect",
        born.category,
        purpose=purpose,
        source=whose,
        subject=whose,
        place=unit.place,
        role=unit.role,
        channel=channel,
    )
    today = datetime.fromtimestamp(unit.vault.clock(), UTC).date()
    try:
        years = years_on(date.fromisoformat(born._reveal()), today)
    except ValueError:
        years = -1
    if years < 0:
        raise SetupError(
            f"{born!r} is no date of birth", help="ask for it in a form with `birth_date`, and read the form first"
        ) from None
    unit.discharge("ask", born.category)
    unit.facts["age"] = float(years)
    return years

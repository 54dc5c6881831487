"""The canaries of the shop: a value for each field of its checkout, and for what a browser sends along."""

from __future__ import annotations

import secrets

from avow.testing.canaries import Canary, card_number, core


def purchase() -> dict[str, Canary]:
    """A canary for each field of the checkout, by the field's name."""
    cores = {name: core() for name in ("name", "email", "street", "unit", "city", "region", "postcode", "country")}
    cores |= {name: core() for name in ("note", "card_name")}
    texts = {
        "name": f"Zoë {cores['name']} & <Co>",
        "email": f"{cores['email'].lower()}@mail.example",
        "street": f'7 "{cores["street"]}" Lané',
        "unit": f"c/o {cores['unit']}'s",
        "city": f"{cores['city']}-on-Sea",
        "region": f"{cores['region']}, N.",
        "postcode": f"{cores['postcode']}",
        "country": f"République {cores['country']}",
        "note": f"ring twice: {cores['note']} = “Ann”",
        "card_name": f"Z {cores['card_name']}",
    }
    cores["email"] = cores["email"].lower()
    number = card_number()
    code = "0{0}{0}0".format(secrets.randbelow(9) + 1)  # no number that a log counts; backwards it is itself
    expiry = f"{secrets.randbelow(12) + 1:02d}/{secrets.randbelow(60) + 30}"
    found = {name: Canary(name, text, cores[name]) for name, text in texts.items()}
    found["card_number"] = Canary(
        "card_number", number, number[:12]
    )  # all but the last four digits, which may be shown
    found["card_code"] = Canary("card_code", code, code)
    found["card_expiry"] = Canary("card_expiry", expiry, expiry)
    return found


def visit() -> dict[str, Canary]:
    """A canary for what a browser sends along: its full name, where it came from, a cookie, a header, its address."""
    cores = {name: core() for name in ("agent", "referrer", "cookie", "header")}
    address = f"127.{secrets.randbelow(150) + 100}.{secrets.randbelow(150) + 100}.{secrets.randbelow(150) + 100}"
    return {
        "agent": Canary("agent", f"Mozilla/5.0 (X11; {cores['agent']}) Gecko/20100101 Firefox/128.0", cores["agent"]),
        "referrer": Canary(
            "referrer", f"https://{cores['referrer']}.example/a?q={cores['referrer']}", cores["referrer"]
        ),
        "cookie": Canary("cookie", cores["cookie"], cores["cookie"]),
        "header": Canary("header", cores["header"], cores["header"]),
        "address": Canary("address", address, address),
    }

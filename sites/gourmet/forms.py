"""What the shop asks for, field by field, each with the category that its policy gives it."""

from __future__ import annotations

from dataclasses import dataclass

from avow.edge import form as ask
from avow.edge.form import Form

from .cart import LIMIT
from .catalogue import CATALOGUE, money
from .newsletter import AGREED


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier as the checkout offers it; `name` is the recipient's name in the policy."""

    name: str
    label: str
    takes: str
    cents: int

    @property
    def price(self) -> str:
        """What the delivery costs, as text."""
        return money(self.cents)


CARRIERS = {
    carrier.name: carrier
    for carrier in (
        Carrier("ups", "UPS Ground", "3 to 4 working days, with cold packs", 850),
        Carrier("fedex", "FedEx 2Day", "2 working days, chilled all the way", 1450),
    )
}

_PRODUCTS = {sku: product.name for sku, product in CATALOGUE.items()}


class Add(Form):
    """So many more of a product."""

    sku = ask.choice(None, "Product", _PRODUCTS)
    quantity = ask.integer("How many", least=1, most=LIMIT)


class Change(Form):
    """So many of a product; none takes it out."""

    sku = ask.choice(None, "Product", _PRODUCTS)
    quantity = ask.integer("How many", least=0, most=LIMIT)


# No card number may stand on a page, not even a test card's: the shop's own exits would refuse it.
_NUMBER = ask.card_number(
    "card.number",
    "Card number",
    hint="Here only test cards work: 4242 four times over pays; 4000, 0000, 0000 and 0002 is declined.",
)
_HOLDER = ask.text("card.name", "Name on the card", maximum=80, autocomplete="cc-name", echo=False)
_EXPIRY = ask.card_expiry("card.expiry", "Good until", hint="Month and year, like 04/29")
_CODE = ask.card_code("card.code", "Security code", hint="Three or four digits")


class Card(Form):
    """The card, typed in for one payment."""

    card_number, card_name, card_expiry, card_code = _NUMBER, _HOLDER, _EXPIRY, _CODE


class Checkout(Form):
    """An order by a guest."""

    ticket = ask.text(None, "Number of this form", maximum=40, required=False)
    name = ask.text("contact.name", "Your name", maximum=80, autocomplete="name")
    email = ask.email("contact.email", "E-mail address", hint="The confirmation and the link to your order go here.")
    street = ask.text("contact.address.street", "Street and number", maximum=120, autocomplete="address-line1")
    unit = ask.text(
        "contact.address.unit", "Flat, floor or company", maximum=120, required=False, autocomplete="address-line2"
    )
    city = ask.text("contact.address.city", "City", maximum=80, autocomplete="address-level2")
    postcode = ask.text("contact.address.postcode", "Postal code", maximum=16, autocomplete="postal-code")
    region = ask.text(
        "contact.address.region", "State or region", maximum=60, required=False, autocomplete="address-level1"
    )
    country = ask.text("contact.address.country", "Country", maximum=60, autocomplete="country-name")
    newsletter = ask.choice(None, "The newsletter", {"yes": AGREED}, required=False)
    note = ask.paragraph(
        "order.note",
        "A note to our packers",
        maximum=400,
        required=False,
        hint="Gift, allergy, a greeting. Please no card numbers.",
    )
    # Not required: what the makers send needs none. The checkout asks for it where something lies in our own cellar.
    carrier = ask.choice(
        None, "Who brings it", {name: carrier.label for name, carrier in CARRIERS.items()}, required=False
    )
    card_number, card_name, card_expiry, card_code = _NUMBER, _HOLDER, _EXPIRY, _CODE

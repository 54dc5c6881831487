"""The cart as it travels in its cookie: `comte-2.honey-1`. It is the visitor's own text, so it is read with care.

What the catalogue does not know and what is no number is left out; a quantity above the limit is cut to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .catalogue import CATALOGUE, Product, money

#: The most of one product that an order may hold.
LIMIT = 20

_PAIR = re.compile(r"([a-z]{1,20})-([0-9]{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One product in the cart and how many of it, 1 to `LIMIT`."""

    product: Product
    quantity: int

    @property
    def cents(self) -> int:
        """What the line costs, in US cents."""
        return self.product.cents * self.quantity

    @property
    def price(self) -> str:
        """What the line costs, as text."""
        return money(self.cents)


class Cart:
    """The lines of a cart. Changing it gives no new cookie by itself: write `encode()` into it."""

    def __init__(self, quantities: dict[str, int]) -> None:
        self._quantities = quantities

    @classmethod
    def decode(cls, text: str | None) -> Cart:
        """Read a cookie's value; None, nonsense and unknown products give fewer lines, never an error."""
        cart = cls({})
        for pair in (text or "").split(".")[: 2 * len(CATALOGUE)]:  # a forged cookie costs no more than a full cart
            if found := _PAIR.fullmatch(pair):
                cart.put(found[1], int(found[2]))
        return cart

    def encode(self) -> str:
        """The cookie's value: `sku-quantity` pairs, joined by dots."""
        return ".".join(f"{sku}-{quantity}" for sku, quantity in self._quantities.items())

    def put(self, sku: str, quantity: int) -> None:
        """Set how many of a product the cart holds; none takes it out, more than `LIMIT` becomes `LIMIT`."""
        if sku not in CATALOGUE:
            return
        if quantity > 0:
            self._quantities[sku] = min(quantity, LIMIT)
        else:
            self._quantities.pop(sku, None)

    def add(self, sku: str, quantity: int) -> None:
        """Put some more of a product into the cart, up to `LIMIT`."""
        self.put(sku, self._quantities.get(sku, 0) + quantity)

    @property
    def lines(self) -> list[Line]:
        """The lines, in the order in which they were put in."""
        return [Line(CATALOGUE[sku], quantity) for sku, quantity in self._quantities.items()]

    @property
    def count(self) -> int:
        """How many pieces the cart holds."""
        return sum(self._quantities.values())

    @property
    def cents(self) -> int:
        """What the goods cost, in US cents."""
        return sum(line.cents for line in self.lines)

    @property
    def price(self) -> str:
        """What the goods cost, as text."""
        return money(self.cents)

    def __bool__(self) -> bool:
        return bool(self._quantities)

    def describe(self) -> str:
        """The lines as the order keeps them, one a row: `2 × Comté, aged 24 months (250 g): $37.00`."""
        return "\n".join(
            f"{line.quantity} × {line.product.name} ({line.product.unit}): {line.price}" for line in self.lines
        )

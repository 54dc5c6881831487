"""What stands around every page of the shop: how much is in the cart, and a word for who is known again."""

from __future__ import annotations

from typing import Any

from avow import Work

from . import greeting
from .cart import Cart
from .shop import site


@site.context
def frame(work: Work) -> dict[str, Any]:
    """`count` and `greeting`, for pages that visitors see; a desk has neither."""
    if work.unit.role != "storefront":
        return {}
    with work.serving("shopping"):
        cart = Cart.decode(work.cookie("cart"))
    return {"count": cart.count, "greeting": greeting.greet(work)}

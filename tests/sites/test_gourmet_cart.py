"""The cart's cookie is text that anybody may have written: it gives a cart, never an error."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.gourmet.cart import LIMIT, Cart
from sites.gourmet.catalogue import CATALOGUE, money

PICTURES = Path(__file__).parents[2] / "sites" / "gourmet" / "static" / "products"


def test_a_cart_comes_back_as_it_was() -> None:
    cart = Cart.decode("comte-2.honey-1")
    assert cart.encode() == "comte-2.honey-1"
    assert cart.count == 3
    assert cart.price == money(2 * CATALOGUE["comte"].cents + CATALOGUE["honey"].cents)
    assert cart.describe().splitlines()[0] == "2 × Comté, aged 24 months (250 g): $37.00"


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        (None, ""),
        ("", ""),
        ("truffle-1.comte-1", "comte-1"),
        ("comte-99", f"comte-{LIMIT}"),
        ("comte-0.honey--3.oil-1e3.salt", ""),
        ("comte-٣", ""),
        ("<script>-1.comte-1;honey-1", ""),
        ("nothing-1." * 500 + "comte-1", ""),
    ],
)
def test_what_does_not_belong_in_a_cart_is_left_out(cookie: str | None, kept: str) -> None:
    assert Cart.decode(cookie).encode() == kept


@given(st.text(max_size=400) | st.text("abcdehmnotuy-.0123456789", max_size=400))
def test_any_cookie_gives_a_cart_within_its_limits(cookie: str) -> None:
    cart = Cart.decode(cookie)
    assert all(line.product.sku in CATALOGUE and 1 <= line.quantity <= LIMIT for line in cart.lines)
    assert Cart.decode(cart.encode()).encode() == cart.encode()


def test_adding_stops_at_the_limit_and_none_takes_out() -> None:
    cart = Cart.decode("comte-19")
    cart.add("comte", 5)
    cart.add("truffle", 1)
    assert cart.encode() == f"comte-{LIMIT}"
    cart.put("comte", 0)
    assert not cart


@pytest.mark.parametrize("sku", CATALOGUE)
def test_every_product_has_its_picture_without_scripts_or_links(sku: str) -> None:
    picture = ET.parse(PICTURES / f"{sku}.svg")
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {"svg", "g", "path", "ellipse", "circle"}
    assert not any("href" in name or name.startswith("on") for element in picture.iter() for name in element.attrib)

"""What the shop sells. Prices are in US cents; `sku` names the product in links, in the cart and its picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One product. `cents` is the price of one `unit`; `allergens` says "none" when there are none to declare."""

    sku: str
    name: str
    unit: str
    cents: int
    shelf: str
    origin: str
    taste: str
    story: str
    allergens: str
    keeps: str

    @property
    def price(self) -> str:
        """The price as text, e.g. `$18.50`."""
        return money(self.cents)


def money(cents: int) -> str:
    """`1850` → `$18.50`."""
    return f"${cents // 100:,}.{cents % 100:02d}"


_SHELF = (
    Product(
        "comte",
        "Comté, aged 24 months",
        "250 g",
        1850,
        "Cheese",
        "Jura, France",
        "Roasted hazelnut, brown butter, a little pineapple.",
        "Two summers in a spruce-lined cellar, turned and rubbed with salt by hand. Cut from the wheel on the day we "
        "send it. Let it breathe for an hour, then eat it plain.",
        "milk",
        "3 weeks, chilled, in its paper",
    ),
    Product(
        "manchego",
        "Manchego curado",
        "300 g",
        1640,
        "Cheese",
        "La Mancha, Spain",
        "Dry grass, almond, a clean sheepy finish.",
        "Raw milk of Manchega ewes, pressed in braided moulds that leave their pattern on the rind. Ten months old: "
        "firm enough to slice, young enough to melt on the tongue.",
        "milk, egg (rind)",
        "4 weeks, chilled",
    ),
    Product(
        "blue",
        "Cave-ripened blue",
        "200 g",
        1390,
        "Cheese",
        "Aveyron, France",
        "Salt, cream, wet stone.",
        "Ewe's milk, needled by hand so that the mould can find its way through. Crumble it over a pear, or spread it "
        "on rye with honey.",
        "milk",
        "2 weeks, chilled",
    ),
    Product(
        "brie",
        "Farmhouse brie",
        "400 g, half moon",
        1520,
        "Cheese",
        "Île-de-France, France",
        "Mushroom, warm milk, a peppery edge near the rind.",
        "Ladled slowly into wide moulds and ripened on straw. We send it a few days before its best, so that it "
        "arrives just about to run.",
        "milk",
        "10 days, chilled",
    ),
    Product(
        "cheddar",
        "Thornbury farmhouse cheddar",
        "300 g",
        1560,
        "Cheese",
        "Thornbury Creamery",
        "Warm hay, toasted nuts, a sharp bright end.",
        "Made on the farm that milks the cows, wrapped in cloth and left alone for fourteen months. The creamery cuts "
        "it when you order it, and sends it to you from its own door.",
        "milk",
        "4 weeks, chilled",
    ),
    Product(
        "ham",
        "Mountain ham, 18 months",
        "120 g, sliced",
        1475,
        "Supper",
        "Emilia-Romagna, Italy",
        "Sweet, nutty, silky.",
        "Pork leg, sea salt and eighteen months of hill air; nothing else goes in. Sliced thin enough to read through "
        "and laid between sheets.",
        "none",
        "4 weeks, chilled, unopened",
    ),
    Product(
        "rillettes",
        "Duck rillettes",
        "180 g jar",
        1150,
        "Supper",
        "Gers, France",
        "Slow-cooked duck, thyme, black pepper.",
        "Cooked for nine hours in its own fat, pulled apart with two forks, potted while warm. It wants toast, "
        "cornichons and company.",
        "none",
        "1 year; opened, 5 days chilled",
    ),
    Product(
        "trout",
        "Oak-smoked trout",
        "200 g, whole fillet",
        1690,
        "Supper",
        "Alder Smokehouse",
        "Sweet smoke, river stone, a hint of juniper.",
        "Brined overnight and hung over glowing oak until the skin turns to gold. It leaves the smokehouse on the day "
        "it is smoked, and comes to you without a detour.",
        "fish",
        "2 weeks, chilled",
    ),
    Product(
        "duck",
        "Smoked duck breast",
        "180 g, sliced",
        1540,
        "Supper",
        "Alder Smokehouse",
        "Beech smoke, orange peel, a soft rim of fat.",
        "Cured with salt and orange, smoked cold for two days. Three slices, a few bitter leaves and good bread are a "
        "supper.",
        "none",
        "3 weeks, chilled, unopened",
    ),
    Product(
        "oil",
        "Early-harvest olive oil",
        "500 ml",
        2480,
        "Pantry",
        "Jaén, Spain",
        "Tomato leaf, green almond, a proud peppery kick.",
        "Picual olives picked green in October and pressed within six hours. Keep it for salads, beans and good bread; "
        "it is wasted on the frying pan.",
        "none",
        "18 months, dark and cool",
    ),
    Product(
        "lemonoil",
        "Oil pressed with lemons",
        "250 ml",
        1920,
        "Pantry",
        "Bitterleaf Olive Press",
        "Lemon zest, cut grass, a gentle pepper.",
        "Whole lemons go under the stone together with the olives, so that nothing has to be added afterwards. The "
        "press bottles it to order. For fish, beans and vanilla ice cream.",
        "none",
        "1 year, dark and cool",
    ),
    Product(
        "vinegar",
        "Barrel-aged balsamic",
        "100 ml",
        3200,
        "Pantry",
        "Modena, Italy",
        "Dark cherry, wood smoke, sweet and sharp in balance.",
        "Cooked grape must that has wandered for twelve years through ever smaller barrels of oak, chestnut and "
        "juniper. Count it in drops.",
        "sulphites",
        "10 years",
    ),
    Product(
        "salt",
        "Flaked sea salt",
        "125 g box",
        690,
        "Pantry",
        "Anglesey, Wales",
        "Crisp, clean, gone in a second.",
        "Sea water, boiled gently until flat crystals grow on top and are raked off by hand. For the last pinch, on "
        "tomatoes, eggs and chocolate.",
        "none",
        "for ever, dry",
    ),
    Product(
        "paprika",
        "Oak-smoked paprika",
        "75 g tin",
        740,
        "Pantry",
        "Extremadura, Spain",
        "Campfire, sweet pepper, a slow warmth.",
        "Peppers dried for two weeks over smouldering holm oak, turned every day, then stone-milled. Half a spoon "
        "changes a pot of lentils.",
        "none",
        "2 years",
    ),
    Product(
        "pasta",
        "Bronze-cut paccheri",
        "500 g",
        820,
        "Supper",
        "Gragnano, Italy",
        "Wheat, and the sauce that you choose.",
        "Durum semolina and spring water, pushed through bronze so that the surface stays rough, dried for two days in "
        "moving air. Thirteen minutes in the pot.",
        "wheat",
        "2 years",
    ),
    Product(
        "olives",
        "Green table olives",
        "300 g jar",
        960,
        "Supper",
        "Sicily, Italy",
        "Buttery, mild, faintly like an apple.",
        "Big bright Nocellara olives, cured in a light brine and nothing more. They crunch. Serve them cold, and put "
        "out a bowl for the stones.",
        "none",
        "1 year; opened, 2 weeks chilled",
    ),
    Product(
        "honey",
        "Chestnut honey",
        "400 g jar",
        1380,
        "Sweet",
        "Ticino, Switzerland",
        "Dark, resinous, pleasantly bitter.",
        "From hives that stand in the chestnut woods for three weeks in June. Never heated, only spun and strained. "
        "Made for hard cheese.",
        "none",
        "3 years",
    ),
    Product(
        "quince",
        "Quince paste",
        "250 g block",
        890,
        "Sweet",
        "Córdoba, Spain",
        "Floral, tart, like autumn in a slice.",
        "The fruit that gave us half our name, cooked down with sugar until it sets by itself. Thin slices, with "
        "Manchego, at the end of a long lunch.",
        "none",
        "1 year",
    ),
    Product(
        "chocolate",
        "Dark chocolate, 74 %",
        "80 g bar",
        780,
        "Sweet",
        "Piura, Peru",
        "Raspberry, molasses, toasted bread.",
        "White-seeded cacao from one valley, fermented in cedar boxes, ground for three days. Three ingredients; the "
        "third is patience.",
        "may contain nuts and milk",
        "1 year, cool",
    ),
    Product(
        "crackers",
        "Fig and walnut crackers",
        "150 g",
        650,
        "Sweet",
        "Vermont, USA",
        "Toasted seed, dried fig, a snap.",
        "Baked as a loaf, sliced thin and baked again until it sings when you break it. The best raft that a piece of "
        "blue cheese can find.",
        "wheat, walnut, sesame",
        "6 months",
    ),
)

#: Every product by its sku, in the order of the shelves.
CATALOGUE: dict[str, Product] = {product.sku: product for product in _SHELF}


def shelves() -> dict[str, list[Product]]:
    """The catalogue by shelf: Cheese, Charcuterie, Pantry, Sweet."""
    result: dict[str, list[Product]] = {}
    for product in CATALOGUE.values():
        result.setdefault(product.shelf, []).append(product)
    return result

"""What is typed, said and written on a journey through the shop: a phrase for each field, with room for its core."""

from __future__ import annotations

#: The fields of an address, as forms name them.
ADDRESS = ("street", "unit", "city", "region", "postcode", "country")

#: What is typed, said and written on the way, beside the checkout and the telephone order.
TEXTS = {
    "signup.name": "Søren {} & Søn",
    "signup.email": "{}@mail.example",
    "signup.password": "seven {} walruses yodel",
    "signup.long": "seven {} walruses yodel " + "and yodel " * 20,
    "login.email": "{}@nobody.example",
    "login.odd": "{} at nobody",
    "login.password": "wrong {} walruses yodel",
    "reset.password": "eight {} ostriches hum",
    "change.password": "nine {} bitterns boom",
    "details.name": "Søren {} <d.æ.>",
    "details.street": "4 {} Row",
    "details.unit": "attic of {}'s",
    "details.city": "{}by",
    "details.region": "North {}",
    "details.postcode": "{}",
    "details.country": "Grand {}",
    "move.email": "{}@moved.example",
    "erase.odd": "{} at my house",
    "newsletter.email": "{}@reader.example",
    "stop.email": "{}@tired.example",
    "stop.words": "Enough: {} “and” that's it",
    "link.words": "I have had enough of {}",
    "contact.name": "Ægir {}",
    "contact.email": "{}@asks.example",
    "contact.text": "Where is “{}”? It's late = too late.",
    "contact.link": "https://elsewhere.example/order/{}",
    "own.text": "My own question about {}",
    "own.words": "My own wish: less {}",
    "answer.text": "It is with {} & on its way",
    "answer.long": "So very {} " + "long " * 1000,
    "caller.email": "{}@calls.example",
    "caller.words": "She said: no {} any more",
    "mail.name": "Þóra {}",
    "mail.email": "{}@writes.example",
    "mail.subject": "About {}",
    "mail.text": "The brie, {}, was good = very good",
    "mail.quoted": "You wrote {}",
    "mail.header": "{} Mailer",
    "mail.copied": "{}@copied.example",
    "mail.envelope": "{}@envelope.example",
    "mail.host": "{}.host.example",
    "mail.attached": "In the attachment: {}",
    "objector.name": "Ögmundur {}",
    "objector.email": "{}@objects.example",
    "objector.words": "unsubscribe me, {}",
    "staff.name": "{}",
    "staff.password": "kettle over the {} barn",
    "survey.words": "It was {}",
    "cart.words": "{}",
}

#: The fields of each form that take words of one's own, and what the others need.
OPEN_FIELDS = {
    "/signup": ("name", "email"),
    "/login": ("email",),
    "/login/forgotten": ("email",),
    "/newsletter": ("email",),
    "/stop": ("email", "words"),
    "/erase": ("email",),
    "/contact": ("name", "email", "text", "link"),
    "/cart": ("sku", "quantity"),
}
FITTING = {
    "/newsletter": {"agree": "yes"},
    "/stop": {"what": "mail"},
}

"""Guards of what leaves for carriers and makers: to whom, over which line, and no more of an order than is theirs."""

from __future__ import annotations

from tests.mutation import Mutation

_EDGE, _OUTBOUND, _SHOP, _VAULT = "src/avow/edge", "src/avow/outbound", "sites/gourmet", "src/avow/vault"

_CARRIERS = (
    Mutation(
        "I7", f"{_OUTBOUND}/recipient.py",
        'if any(policy.vocabulary.covers("category", wide, field.category) for wide in recipient.fields)', "if True",
        "a carrier is offered fields that the policy does not list for it",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/recipient.py",
        "        judge_share(unit, self.name, record, fields, purpose=send.purpose, channel=self.channel)\n", "",
        "what leaves is not judged again when it leaves",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/sftp.py", "asyncio.Runner(debug=False)", "asyncio.Runner()",
        "what a maker's server says is logged",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/sftp.py", "        return self.shown == self._expected\n", "        return True\n",
        "an SFTP server with another host key gets an order",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/sftp.py", '''        "kex_algs": list(KEY_EXCHANGES),\n''', "",
        "an SFTP server with an old key exchange gets an order",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/directory.py", "        if address.channel not in permitted:", "        if False:",
        "an address over another channel than the policy's is used",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/tls.py", "    context.minimum_version = ssl.TLSVersion.TLSv1_2\n",
        "    context.check_hostname = False\n    context.verify_mode = ssl.CERT_NONE\n",
        "anybody can pass for a carrier",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/tls.py", "    context.minimum_version = ssl.TLSVersion.TLSv1_2\n",
        "    context.check_hostname = False\n", "a certificate for another host serves a carrier",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/endpoint.py", "if parts.scheme not in schemes:", "if False:",
        "a carrier is reached over a plain channel",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/https.py", "addFilter(lambda record: False)", "addFilter(lambda record: True)",
        "what a carrier quotes of an address is written into the log",
    ),
    Mutation(
        "I7", f"{_VAULT}/envelope.py", "self._aad + _measured(field.encode())", "self._aad",
        "a note put into the place of the street goes to the carrier",
    ),
    Mutation(
        "I7", f"{_EDGE}/form.py", "if spec.choices and text not in", "if not spec.choices and text not in",
        "a form names a carrier that the shop does not offer",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/sftp.py", '''        "encryption_algs": list(CIPHERS),\n''', "",
        "an SFTP server with old ciphers gets an order",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/sftp.py", '''        "server_host_key_algs": list(HOST_KEYS),\n''', "",
        "an SFTP server with an old kind of host key is talked to",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/directory.py", "if name not in recipients and name not in needed:", "if False:",
        "the address of somebody whom the policy does not name is configured",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/directory.py",
        'if recipient is not None and address.channel == "smtps" and "@" not in mailbox:', "if False:",
        "an order by mail goes to no mailbox",
    ),
    Mutation(
        "I7", f"{_OUTBOUND}/directory.py", "if recipient is None and mailbox:", "if False:",
        "the address of the mail server names a mailbox that nobody heeds",
    ),
)  # fmt: skip

_MAKERS = (
    Mutation(
        "I7", f"{_SHOP}/maker.py", "return all(match is not None and match[1] in maker.makes for match in found)",
        "return True", "a maker is sent the lines of another, or of the whole order",
    ),
    Mutation(
        "I7", f"{_SHOP}/maker.py", "isinstance(record, Part) and _fills(record, maker)", "True",
        "a maker is sent name and address of an order that it fills nothing of",
    ),
    Mutation(
        "I7", f"{_SHOP}/maker.py",
        'lines="\\n".join(_line(line) for line in cart.lines if line.product.sku in maker.makes)',
        'lines="\\n".join(_line(line) for line in cart.lines)',
        "the part of a maker holds the lines of all",
    ),
    Mutation(
        "I7", f"{_SHOP}/maker.py",
        "found = work.select(Part, Part.customer == order.customer, Part.order_id == order.id)",
        "found = work.select(Part)",
        "a paid order sends off the parts of others",
    ),
)  # fmt: skip

OUTBOUND: tuple[Mutation, ...] = (*_CARRIERS, *_MAKERS)

"""Mail that comes in: who wrote and what, without what is quoted, whatever its shape."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.incoming import LONGEST, Incoming, own_words, parse


def mail(text: str = "Hello\n", **headers: str) -> bytes:
    message = EmailMessage()
    for name, value in {"From": "Ann Example <ann@example.org>", "Subject": "A word", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def shown(found: Incoming) -> tuple[str, str, str]:
    return found.sender()._reveal(), found.name()._reveal(), found.text("request")._reveal()


def test_a_mail_tells_who_wrote_and_what() -> None:
    found = parse(mail("No more, please.\nThank you.\n"))
    assert shown(found) == ("ann@example.org", "Ann Example", "A word\n\nNo more, please.\nThank you.")
    assert not found.anonymous
    assert not found.automatic
    assert repr(found) == "<incoming mail>"


def test_what_is_given_is_sealed_by_the_category_asked_for() -> None:
    found = parse(mail())
    assert [found.sender().category, found.name().category, found.text("objection").category] == [
        "contact.email",
        "contact.name",
        "objection",
    ]
    assert "ann" not in f"{found.sender()!r} {found.name()} {found.text('objection')}"


def test_a_sender_without_a_name_is_called_by_the_address() -> None:
    assert parse(mail(From="ann@example.org")).name()._reveal() == "ann@example.org"


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: x\n",
        b"From: nobody\n",
        b"From: ann@example.org, bob@example.org\n",
        b"From: ann@example.org\nFrom: bob@example.org\n",
        b"From: <>\n",
        b"From: =?utf-8?q?broken\n",
    ],
)
def test_a_mail_with_no_sender_or_several_is_anonymous(head: bytes) -> None:
    assert parse(head + b"\nunsubscribe\n").anonymous


@pytest.mark.parametrize(
    "quoted",
    [
        "> unsubscribe",
        "  > unsubscribe",
        "On Monday, 2 November 2026, Quince & Barrel wrote:\nunsubscribe",
        "-----Original Message-----\nunsubscribe",
        "________________________________\nFrom: Quince\nunsubscribe",
        "From: Quince <service@quince.example>\nunsubscribe",
        "-- \nunsubscribe",
    ],
)
def test_what_is_quoted_is_not_said(quoted: str) -> None:
    assert own_words(f"Thank you for the brie.\n\n{quoted}\n") == "Thank you for the brie."


def test_html_is_read_without_styles_and_quotations() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "ann@example.org", "x"
    message.set_content(
        "<html><head><title>t</title><style>p {}</style></head><body><p>Please   no more\n mail.</p><div>Ann &amp; Bob"
        "</div><blockquote>To end it, unsubscribe</blockquote><script>unsubscribe()</script></body></html>",
        subtype="html",
    )
    assert parse(message.as_bytes()).text("request")._reveal() == "x\n\nPlease no more mail.\n\nAnn & Bob"


def test_of_two_forms_the_plain_one_is_read() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "ann@example.org", "x"
    message.set_content("plain")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(b"unsubscribe", maintype="application", subtype="octet-stream", filename="a.txt")
    assert parse(message.as_bytes()).text("request")._reveal() == "x\n\nplain"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Precedence": "LIST"},
        {"X_Auto_Response_Suppress": "All"},
    ],
)
def test_what_a_program_sent_is_known(headers: dict[str, str]) -> None:
    assert parse(mail(**headers)).automatic
    assert not parse(mail(Auto_Submitted="no")).automatic


def test_marks_and_controls_are_taken_out_and_length_is_limited() -> None:
    found = parse(mail("a\ue000000000000000\ue001b\x07c\n" + "x" * (2 * LONGEST), Subject="s" * 500))
    text = found.text("request")._reveal()
    assert "\ue000" not in text
    assert "\x07" not in text
    assert len(text) == LONGEST
    assert len(found.text("request", longest=20)._reveal()) == 20
    assert text.startswith("s" * 200 + "\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"From: a@b.example\nContent-Type: text/plain; charset=nonsense\n\nhi\n",
        b"From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n%%%\n",
        b"From: a@b.example\nContent-Type: multipart/mixed\n\nno boundary\n",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n"
        + b"--x\nContent-Type: multipart/mixed; boundary=x\n\n" * 400,
        b"From: \xff\xfe@b.example\nSubject: \xff\n\n\xff\xfe\n",
    ],
)
def test_nothing_that_is_broken_stops_the_reader(content: bytes) -> None:
    parse(content)


@given(st.binary(max_size=400), st.sampled_from([b"", b"From: a@b.example\nContent-Type: text/html\n\n", b"From: "]))
def test_no_bytes_stop_the_reader(noise: bytes, start: bytes) -> None:
    found = parse(start + noise)
    assert "\ue000" not in found.text("request")._reveal()

"""What in a mail would tell who opens it, and what would not."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.engine import Policy
from avow.errors import SetupError
from avow.outbound.plain import Links, check_templates, faults

SECRET = "https://shop.example/order/Zm9v_bar-1"
LINKS = Links("https://shop.example", "desk@shop.example", {SECRET})

POLICY = """---
site: post
title: Mail
version: "1"
effective: 2026-11-22
contact: {email: desk@shop.example}
categories: {reading: user.behavior, address: user.contact.email}
purposes: {news: marketing}
subjects: {customer: customer}
messages: {news: {label: news}}
---

We do not find out whether you open our mail.

```avow #unread
never collect reading
```

Nor do we ask for receipts, or count clicks.

```avow #uncounted
never ask reading
never log reading
```

News comes to your address.

```avow #news
may send news to address over smtps
```
"""


@pytest.mark.parametrize(
    "text",
    [
        f"See {SECRET}.",
        f"(see <{SECRET}>)",
        "https://shop.example/products/honey, and https://shop.example/",
        "mailto:desk@shop.example or desk@shop.example",
        "2 < 3 and 3 > 2; I <3 quinces; a/b; and//or",
        "Return-Receipt is what we never ask for",
    ],
)
def test_what_tells_nothing_may_stand_in_a_mail(text: str) -> None:
    assert list(faults(text, LINKS)) == []


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ('<img src="https://shop.example/p.gif">', "collect"),
        ("<IMG SRC=x>", "collect"),
        ("</a>", "collect"),
        ("<!-- -->", "collect"),
        ("Disposition-Notification-To: desk@shop.example", "ask"),
        ("  return-receipt-to : desk@shop.example", "ask"),
        ("X-Confirm-Reading-To: desk@shop.example", "ask"),
        ("https://count.example/c/1", "log"),
        ("http://shop.example/products/honey", "log"),
        ("https://shop.example.evil.example/", "log"),
        ("https://shop.example@evil.example/", "log"),
        ("https://shop.example/products/honey?who=1", "log"),
        ("https://shop.example/products/honey#who", "log"),
        (SECRET + "?open=1", "log"),
        ("https://shop.example/x/\ue0000000\ue001", "log"),
        ("//count.example/c", "log"),
        ("www.count.example/c", "log"),
        ("mailto:other@shop.example", "log"),
        ("mailto:desk@shop.example?subject=seen", "log"),
        ("cid:picture", "log"),
    ],
)
def test_what_would_tell_is_found_with_its_line(text: str, verb: str) -> None:
    found = list(faults(f"Dear reader,\n{text}\n", LINKS))
    assert verb in {fault.verb for fault in found}
    assert {fault.line for fault in found} == {2}


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    folder = tmp_path / "mail"
    (folder / "issues").mkdir(parents=True)
    return folder


def check(mails: Path, policy: str = POLICY) -> None:
    links = Links("https://shop.example", "desk@shop.example")
    check_templates(Policy.parse(policy), mails, links, reading="reading", subject="customer")


def test_templates_with_links_of_their_own_pass(mails: Path) -> None:
    (mails / "_foot.txt").write_text("{{ links('stop') }}\nmailto:{{ policy.contact.email }}\n")
    (mails / "issues" / "1.txt").write_text("Subject: One\n\n{{ base }}/products/honey\n")
    (mails / "news.txt").write_text(
        '{# a word #}Subject: {{ record.name }}\n\n{{ link }}\n{% if record.name %}\n{{ links("x:1") }}\n{% endif %}\n'
    )
    (mails / "news.txt").write_text('Subject: {{ record.name }}\n\n{{ link }}, {{- links("x:1") }}\n')
    (mails / "whole.txt").write_text('{% include "mail/issues/1.txt" %}\n')
    check(mails)


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ('<img src="{{ base }}/p.gif">', "unread"),
        ("Return-Receipt-To: x", "uncounted"),
        ("https://count.example/{{ record.id }}", "uncounted"),
        ("{{ link }}?utm=1", "uncounted"),
        ("{{ base }}/x?u={{ record.id }}", "uncounted"),
        ("{{ base }}/{{ record.name }}?", "uncounted"),
    ],
)
def test_a_template_that_would_tell_is_refused_with_its_sentence(mails: Path, text: str, anchor: str) -> None:
    (mails / "issues" / "1.txt").write_text(f"Subject: One\n\n{text}\n")
    with pytest.raises(SetupError, match=rf"issues/1\.txt:3 [^\n]*\n  sentence: [^\n]*\(#{anchor}\)"):
        check(mails)


def test_where_the_policy_knows_no_reading_it_is_refused_without_one(mails: Path) -> None:
    (mails / "news.txt").write_text("Subject: One\n\nwww.count.example\n")
    silent = POLICY.replace("reading: user.behavior", "other: user.behavior").replace("reading\n", "other\n")
    with pytest.raises(SetupError, match=r"news\.txt:3 holds a link"):
        check(mails, silent)


def test_where_the_policy_permits_it_it_passes(mails: Path) -> None:
    (mails / "news.txt").write_text("Subject: One\n\nwww.count.example\n")
    open_minded = POLICY.replace("never log reading", "may log reading at mail")
    check(mails, open_minded)


def test_the_header_is_a_subject_and_nothing_else(mails: Path) -> None:
    (mails / "a.txt").write_text("Dear reader,\n")
    (mails / "b.txt").write_text("Subject: One\nBcc: other@example.org\n\nDear reader,\n")
    with pytest.raises(SetupError, match=r"a\.txt:1 does not begin with `Subject: `\n  - b\.txt:2 is no empty line"):
        check(mails)

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from avow.engine import Policy
from avow.engine import policy as module
from avow.errors import PolicyError
from avow.values import Verdict

LIBRARY = Path(__file__).parents[1] / "language" / "library.md"


@pytest.fixture(scope="module")
def library() -> Policy:
    return Policy.load(LIBRARY)


def test_a_policy_says_what_its_front_matter_says(library: Policy) -> None:
    assert (library.site, library.title, library.version) == ("library", "Privacy at the lending library", "3")
    assert library.effective == date(2026, 1, 5)
    assert library.contact.email == "desk@library.example"
    county = library.recipients["county"]
    assert (county.label, county.under, county.channels) == ("the county library", ("partners",), ("https", "sftp"))
    assert county.fields == ("contact.name", "loan.title")
    assert library.recipients["partners"].fields == ()
    assert (library.cookies["session"].seconds, library.cookies["theme"].seconds) == (7200, None)
    assert set(library.messages) == {"reminder", "newsletter"}


def test_the_digest_is_that_of_the_text_however_an_editor_saved_it(library: Policy, tmp_path: Path) -> None:
    assert library.digest == hashlib.sha256(LIBRARY.read_bytes()).hexdigest()
    copy = tmp_path / "copy.md"
    for end in (b"\r\n", b"\r"):
        copy.write_bytes("\ufeff".encode() + LIBRARY.read_bytes().replace(b"\n", end))
        assert Policy.load(copy).digest == library.digest
    copy.write_bytes(LIBRARY.read_bytes() + b"\n")
    assert Policy.load(copy).digest != library.digest


def test_sentences_rules_and_coverage(library: Policy) -> None:
    assert library.sentence("newsletter").rows == ("L5",)
    assert library.sentence("newsletter").ours
    assert [rule.modal for rule in library.rules_of("newsletter")] == ["may", "must", "never"]
    rule = library.rules_of("county")[0]
    assert rule.text == "may share contact.name, loan.title with county for lending only over https, sftp"
    assert LIBRARY.read_text("utf-8").split("\n")[rule.line - 1].startswith("may share contact.name")
    counts = library.coverage().counts
    assert counts == {"enforced": 11, "attested": 1, "informational": 2, "unbound": 0}
    assert library.coverage().attested == ("desk-opens",)
    with pytest.raises(KeyError):
        library.sentence("nowhere")


def test_duties_are_listed_one_for_each_object(library: Policy) -> None:
    lock = next(duty for duty in library.duties if duty.verb == "lock")
    assert (lock.object, lock.timing) == ("terminal", "scheduled")
    assert lock.phrases == (("within", ("5 minutes",)), ("after", ("idle",)))
    assert len(library.duties) == 6


def test_the_library_keeps_its_word(library: Policy) -> None:
    asked = {"done(ask age_group)": True, "age": 30}
    grown = library.judge("collect", "contact.email", source="reader", place="account", purpose="lending", facts=asked)
    assert grown.permitted
    assert (
        "not yet"
        in library.judge("collect", "contact.email", place="account", purpose="lending", facts={"age": 30}).reason
    )
    assert library.judge("keep", "loan", subject="reader", purpose="lending", facts={"age": 13}).permitted
    for facts in ({"age": 12.9}, {}):
        refused = library.judge("keep", "loan", subject="reader", purpose="lending", facts=facts)
        assert refused.rule == "never keep identity about person when age < 13"
    reminder = library.judge("send", "reminder", audience="contact.email", purpose="reminding", channel="smtps")
    assert [duty.text for duty in reminder.duties] == ["must show contact in reminder"]
    news = {"consented(newsletter)": True, "objected(news)": False}
    assert library.judge("send", "newsletter", audience="contact.email", purpose="news", facts=news).permitted
    news["objected(news)"] = True
    assert not library.judge("send", "newsletter", audience="contact.email", purpose="news", facts=news).permitted


def test_every_unreadable_file_is_a_policy_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot read the policy: No such file"):
        Policy.load(tmp_path / "missing.md")
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    with pytest.raises(PolicyError, match="not UTF-8 text: byte 3"):
        Policy.load(tmp_path / "latin.md")
    with pytest.raises(PolicyError) as caught:
        Policy.parse("We keep.\n", "mine.md")
    assert {item.file for item in caught.value.diagnostics} == {"mine.md"}
    assert len(caught.value.diagnostics) == 3


def test_the_memory_of_decisions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMO", 10)
    policy = Policy.load(LIBRARY)
    for number in range(50):
        assert not policy.judge("set", f"cookie.c{number}").permitted
    assert len(policy._memory) <= 10


def test_a_word_with_endless_arguments_is_not_remembered(library: Policy) -> None:
    slot = library._decider.index.slots["share"][-1]
    before = len(slot)
    for number in range(50):
        library.judge("share", "loan", recipient="county", purpose="statistics", form=f"counts(group {number})")
    assert len(slot) == before


def test_a_verdict_is_shared_and_cannot_be_changed(library: Policy) -> None:
    verdict = library.judge("share", "loan", recipient="county")
    with pytest.raises(AttributeError, match="cannot be changed: permitted"):
        verdict.permitted = True
    with pytest.raises(AttributeError, match="cannot be changed"):
        del verdict.rule
    assert repr(verdict) == f"<Verdict refused: {verdict.reason}>"


def test_a_reason_is_put_into_words_once_and_only_when_read() -> None:
    asked: list[str] = []

    def reason() -> str:
        asked.append("reason")
        return "because"

    verdict = Verdict(False, (), (), "", reason)
    assert asked == []
    assert (verdict.reason, verdict.reason, asked) == ("because", "because", ["reason"])


def test_what_was_unknown_when_asked_stays_in_the_reason(library: Policy) -> None:
    facts: dict[str, bool | float | None] = {}
    asked = {"audience": "reader", "place": "account"}
    before = library.judge("show", "loan", **asked, facts=facts)
    facts["presented(link)"] = False
    assert before.reason.endswith("`presented(link)` is unknown")
    assert library.judge("show", "loan", **asked, facts=facts).reason.endswith("`presented(link)` is false")

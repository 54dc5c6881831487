"""`avow attest`: who has the role signs with their password, everybody sees what stands, and nobody else signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.asking_shop import SHOP, asked
from tests.cli.typing_in import avow

PASSWORD = "kettle over the blue barn"
OTHER = "a lantern below the stairs"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with an officer, who may sign, and a clerk, who may not."""
    folder = tmp_path_factory.mktemp("attest") / "data"
    asked(folder).close()
    for name, role, password in (("olga", "security_officer", PASSWORD), ("berta", "order_desk", OTHER)):
        added = avow("staff", "add", str(SHOP), name, "--role", role, "--data", str(folder), typed=f"{password}\n")
        assert added.status == 0, added.err
    return folder


def shown(data: Path) -> tuple[int, str]:
    done = avow("attest", "show", str(SHOP), "--data", str(data))
    assert done.err == ""
    return done.status, done.out


def test_a_sentence_is_signed_for_and_the_signature_withdrawn(data: Path) -> None:
    status, said = shown(data)
    assert status == 1
    assert "#review (signed for by security_officer, every 12 months)" in said
    assert "“Once a year our security officer holds these measures against the state of the art" in said
    assert "Nobody has signed for it at present" in said
    to_it = ("#review", "--as", "olga", "--data", str(data))
    signed = avow("attest", "sign", str(SHOP), *to_it, typed=f"{PASSWORD}\n")
    assert (signed.status, signed.err) == (0, "")
    assert "You sign, as security_officer, that this is so:\n  “Once a year" in signed.out
    assert "Signed by olga as security_officer; that holds until " in signed.out
    status, said = shown(data)
    assert status == 0
    assert "Signed for by " in said
    assert "olga" not in said
    withdrawn = avow("attest", "withdraw", str(SHOP), *to_it, typed=f"{PASSWORD}\n")
    assert withdrawn.out == "Withdrawn: nobody vouches for #review any more, and what hangs on it is refused.\n"
    assert shown(data)[0] == 1
    again = avow("attest", "withdraw", str(SHOP), *to_it, typed=f"{PASSWORD}\n")
    assert again.status == 1
    assert "nobody has signed for `#review` at present" in again.err


@pytest.mark.parametrize(
    ("anchor", "name", "password", "why"),
    [
        ("review", "olga", OTHER, "this name and this password do not belong together"),
        ("review", "nobody", PASSWORD, "this name and this password do not belong together"),
        ("review", "berta", OTHER, "berta is not security_officer"),
        ("carriers", "olga", PASSWORD, "no sentence `#carriers` of the policy needs a signature"),
        ("reviews", "olga", PASSWORD, "did you mean `review`?"),
    ],
)
@pytest.mark.parametrize("deed", ["sign", "withdraw"])
def test_who_may_not_sign_is_told_why(data: Path, deed: str, anchor: str, name: str, password: str, why: str) -> None:
    done = avow("attest", deed, str(SHOP), anchor, "--as", name, "--data", str(data), typed=f"{password}\n")
    assert done.status == 1
    assert why in done.err
    assert password not in done.out + done.err
    assert shown(data)[0] == 1

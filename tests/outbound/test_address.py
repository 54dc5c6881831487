"""Where recipients are reached: read from a file, checked before anything opens, secrets shown to nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.errors import SetupError
from avow.outbound.address import LARGEST, Address, read_addresses

HOST_KEY = "SHA256:" + "A" * 43
SECRET = "canary-secret-Q7"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "addresses.yaml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_file_holds_urls_and_mappings(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"""\
ups: https://ups.example/labels
cellar: {{url: "sftp://cellar.example/orders", user: shop, key: keys/cellar, host_key: "{HOST_KEY}"}}
bakery: smtps://mx.bakery.example/orders@bakery.example
mail: {{url: smtp+starttls://mail.example, user: shop, password: {SECRET}}}
""",
    )
    found = read_addresses(file)
    assert {name: address.channel for name, address in found.items()} == {
        "ups": "https", "cellar": "sftp", "bakery": "smtps", "mail": "smtps",
    }  # fmt: skip
    assert found["cellar"].key == tmp_path / "keys" / "cellar", "beside the file, wherever the service was started"
    assert found["mail"].password == SECRET
    assert SECRET not in repr(found)


def test_json_will_do(tmp_path: Path) -> None:
    file = written(tmp_path, '{"ups": "https://ups.example"}', 0o644)
    assert read_addresses(file) == {"ups": Address("https://ups.example")}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_with_a_password_must_be_its_owners_alone(tmp_path: Path, mode: int) -> None:
    text = f"mail: {{url: smtps://mail.example, user: shop, password: {SECRET}}}\n"
    with pytest.raises(SetupError, match=rf"open to others.* {mode:04o}\n  help: chmod 600") as caught:
        read_addresses(written(tmp_path, text, mode))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not map recipients"),
        ("- https://ups.example", "does not map recipients"),
        (f"mail: {{password: {SECRET}, user: [}}", "neither YAML nor JSON in line 1"),
        ("ups: 7", "`ups` in .* a URL, or a mapping"),
        ("ups: {}", "an address has a `url`"),
        ("ups: {url: https://ups.example, pasword: x}", "an address knows no `pasword`"),
        ("ups: {url: https://ups.example, user: 7}", "the `user` of an address is text"),
        ("ups: http://ups.example", "not over `http`"),
        ("ups: {url: https://ups.example, user: shop}", "has a `user`, and nothing over https uses one"),
        ("mail: {url: smtps://m.example, user: shop}", "only one of `user` and `password`"),
        (f"mail: {{url: smtps://m.example, password: {SECRET}}}", "only one of `user` and `password`"),
        (f'mail: {{url: smtps://m.example, user: shop, password: "{SECRET}\\0"}}', "holds a control character"),
        ("mail: {url: smtps://m.example, key: k}", "has a `key`, and nothing over smtps uses one"),
        ("s: sftp://h.example/orders", "has no `user`"),
        (f's: {{url: sftp://h.example, user: a, host_key: "{HOST_KEY}"}}', "has no `key`"),
        ("s: {url: sftp://h.example, user: a, key: k}", "has no `host_key`"),
        (f"s: {{url: sftp://h.example, user: a, key: k, host_key: x, password: {SECRET}}}", "has a `password`"),
    ],
)
def test_what_is_no_address_is_said_with_what_to_do_and_without_the_secret(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SetupError, match=said) as caught:
        read_addresses(written(tmp_path, text))
    assert SECRET not in f"{caught.value}{caught.value.__cause__}"
    if "control" not in said:
        assert caught.value.help


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        read_addresses(tmp_path / "none")
    with pytest.raises(SetupError, match="cannot be read: Is a directory"):
        read_addresses(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SetupError, match="is not a file"):
        read_addresses(tmp_path / "pipe")  # and does not wait for somebody to write into it
    with pytest.raises(SetupError, match="larger than"):
        read_addresses(written(tmp_path, "#" * (LARGEST + 1)))

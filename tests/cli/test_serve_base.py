"""`avow serve --base`: under which name a site answers, said before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.cli.serve import _check_base
from avow.errors import SetupError
from avow.testing.certificates import Authority


@pytest.mark.parametrize("base", ["https://shop.example", "https://shop.example:8443", "https://192.0.2.9", None])
def test_a_name_without_a_path_will_do(base: str | None) -> None:
    _check_base(base, "192.0.2.9", "https")


@pytest.mark.parametrize(
    "base",
    [
        "shop.example", "http://shop.example", "https://shop.example/", "https://shop.example/shop", "https://",
        "https://shop.example?x", "https://ann@shop.example", "https://shop.example:port", "ftp://shop.example", "",
    ],
)  # fmt: skip
def test_what_is_no_name_of_the_site_is_refused(base: str) -> None:
    with pytest.raises(SetupError, match="is not how this site can be reached"):
        _check_base(base, "192.0.2.9", "https")


def test_every_address_of_a_machine_is_no_name(tmp_path: Path) -> None:
    import subprocess
    import sys

    issued = Authority.create(tmp_path / "authority").issue("shop")
    command = [sys.executable, "-m", "avow", "serve", "sites/gourmet", "--port", "0", "--data", str(tmp_path / "data")]
    certificate = ["--cert", str(issued.certificate), "--key", str(issued.key)]
    for host in ("0.0.0.0", "::"):
        told = subprocess.run(
            [*command, *certificate, "--host", host],
            capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert told.returncode == 1
        assert "no name to be reached under" in told.stderr
        assert "--base https://shop.example" in told.stderr
    assert not (tmp_path / "data").exists()

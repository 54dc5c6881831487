"""What an installation brings with it, and that the lock says the same as pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackagePath, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.structure.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
PINS = {
    canonicalize_name(found[1]): Version(found[2]) for found in re.finditer(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE)
}


def core() -> dict[str, Distribution]:
    """The installed packages that Avow needs without any extra, by their canonical names."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        package = canonicalize_name(requirement.name)
        if package not in found:
            found[package] = distribution(package)
        for text in found[package].requires or ():
            needed = Requirement(text)
            extras = requirement.extras or {""}
            applies = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
            if applies and canonicalize_name(needed.name) not in found:
                waiting.append(needed)
    return found


def test_the_core_is_at_most_40_packages() -> None:
    assert 10 < len(core()) <= 40, sorted(core())


def test_the_core_takes_at_most_150_megabytes() -> None:
    sizes = {
        package: sum(
            path.stat().st_size for file in found.files or () if (path := Path(str(found.locate_file(file)))).is_file()
        )
        for package, found in core().items()
    }
    assert 1e6 < sum(sizes.values()) < 150e6, sorted(sizes.items(), key=lambda item: -item[1])


def test_the_lock_pins_what_the_project_asks_for() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    asked += [text for extra in project["optional-dependencies"].values() for text in extra]
    unmet = [
        text
        for text in asked
        for requirement in [Requirement(text)]
        if (pin := PINS.get(canonicalize_name(requirement.name))) is None or pin not in requirement.specifier
    ]
    assert not unmet, "run `make lock`"


def test_the_lock_has_nothing_that_the_project_does_not_ask_for() -> None:
    direct = {canonicalize_name(found) for found in re.findall(r"(?m)^(\S+)==[^#]*?# via(?:\n    #)? +avow", LOCK)}
    named = re.compile(r"[\w.-]+")
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    groups += [*PROJECT["dependency-groups"].values()]
    asked = {canonicalize_name(named.match(text)[0]) for group in groups for text in group}  # type: ignore[index]
    assert direct <= asked, "run `make lock`"


def test_every_locked_package_is_pinned_by_hash_and_no_host_is_named() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) == len(PINS)
    assert not [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not re.search(r"://|--index-url|--find-links|--trusted-host", LOCK)


def test_the_environment_is_the_locked_one() -> None:
    assert not {
        package: f"{found.version} installed, {PINS[canonicalize_name(package)]} locked"
        for package, found in core().items()
        if Version(found.version) != PINS[canonicalize_name(package)]
    }


def _size(package: Distribution, file: PackagePath) -> int:
    path = Path(str(package.locate_file(file)))
    return path.stat().st_size if path.is_file() else 0

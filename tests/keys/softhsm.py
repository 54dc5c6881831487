"""SoftHSM, a PKCS#11 device in software: a token directory of its own for each test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pkcs11
import pytest

from avow.keys import token
from avow.keys.device import Device

#: SoftHSM's library, where Debian, Fedora and Homebrew have it. Where it is missing, the tests name this first one.
_PLACES = [Path(folder, "softhsm", "libsofthsm2.so") for folder in ("/usr/lib", "/usr/lib64", "/opt/homebrew/lib")]
MODULE = next(filter(Path.exists, _PLACES), _PLACES[0])

PIN = "73-Canary-PIN"


class SoftHSM:
    """The device, with its tokens in `folder`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "tokens").mkdir(parents=True)
        self.folder = folder
        self.pin_file = folder / "pin"
        self.pin_file.write_text(PIN + "\n")
        self.pin_file.chmod(0o600)
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
        monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))

    def device(self, label: str = "avow", pin: str = PIN) -> Device:
        """A fresh token, set up as its operator would."""
        words = ["--init-token", "--free", "--label", label, "--so-pin", "so-12345", "--pin", pin]
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
        self.restart()
        return Device(label, MODULE, pin_file=self.pin_file)

    def restart(self) -> None:
        """What a new process begins with: the module read anew, nobody logged in."""
        token._SESSIONS.clear()
        pkcs11.lib(str(MODULE)).reinitialize()

    @property
    def files(self) -> bytes:
        """All that lies in its tokens."""
        return b"\0".join(path.read_bytes() for path in sorted((self.folder / "tokens").rglob("*")) if path.is_file())

    def session(self, label: str = "avow") -> pkcs11.Session:
        """A session of somebody who knows the PIN, beside Avow's."""
        return pkcs11.lib(str(MODULE)).get_token(token_label=label).open(rw=True)


def elsewhere(path: Path, act: str, *numbers: int) -> str:
    """What another process says that does `act` to the keyring at `path`: its errors, or nothing."""
    words = """if True:
        import sys
        from pathlib import Path
        from avow.errors import AvowError
        from avow.keys.installed import open_keys
        try:
            getattr(open_keys(Path(sys.argv[1])), sys.argv[2])(*map(int, sys.argv[3:]))
        except AvowError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", words, str(path), act, *map(str, numbers)], check=True, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def create_together(path: Path, processes: int, each: int) -> str:
    """What processes say that are all told at once to create epochs, and do so `each` times: their errors, or nothing.

    They open the keyring one after the other. SoftHSM reads a token by half while another process logs in.
    """
    words = """if True:
        import sys
        from pathlib import Path
        from avow.keys.installed import open_keys
        keys = open_keys(Path(sys.argv[1]))
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(int(sys.argv[2])):
            keys.create_epoch()
    """
    started = []
    for _ in range(processes):
        process = subprocess.Popen(
            [sys.executable, "-c", words, str(path), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return "".join(process.communicate(timeout=60)[1] for process in started)

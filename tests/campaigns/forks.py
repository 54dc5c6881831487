"""What campaigns that disturb a process share: a warm process that forks a child for each job, and strace at one child.

Imports alone make thousands of file calls; a child forked after them makes only those of its job. A job goes to the
warm process as a line of JSON. Two lines come back: {"pid": …} at once, {"status": …} when the child has ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from avow.errors import SetupError

ROOT = Path(__file__).parents[2]

CALLS = (
    "write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate", "rename", "renameat",
    "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fchmod", "chmod", "connect",
    "sendto", "sendmsg",
)  # fmt: skip

#: What strace says of a process that was killed.
KILLED = "+++ killed by SIGKILL +++"

#: The call that is made more often in one run of the same thing than in another: it writes a page of the database. New
#: rows have random ids, and lie on pages together or apart; the number differs by a tenth.
VARYING = "pwrite64"

_CALL = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


def need_strace() -> None:
    """Raise SetupError if there is no strace."""
    if shutil.which("strace") is None:
        raise SetupError("strace is not installed", help="install it: `tools/debian-packages` does, on Debian")


class Warm:
    """The warm process, `python -m MODULE ARGUMENT…`, until `stack` is closed. It writes to `said` in `folder`."""

    def __init__(self, stack: ExitStack, folder: Path, module: str, *arguments: str) -> None:
        self._said = stack.enter_context((folder / "said").open("w+"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )  # fmt: skip
        stack.callback(lambda: self._process.communicate(timeout=20))  # its standard input ends, and so does it

    def begin(self, job: object) -> dict[str, Any]:
        """Give it a job; the first line that comes back."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return self.end()

    def end(self) -> dict[str, Any]:
        """The next line that comes back."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the warm process ended: {self.complaints()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, job: object) -> None:
        """Give it a job and wait until it is done."""
        if "pid" in self.begin(job):
            self.end()

    def complaints(self) -> str:
        """What was written to stderr since this was asked last."""
        self._said.seek(0)
        text = self._said.read()
        self._said.truncate(0)
        self._said.seek(0)
        return text

    def traced(self, pid: int, log: Path, fault: str | None) -> str:
        """Trace the child of a job that waits for that to its end, with a fault as strace injects it; its calls.

        Raises:
            SetupError: strace could not trace it.
        """
        inject = ["-e", f"inject={fault}"] if fault else []
        traced = subprocess.run(
            ["strace", "-f", "-q", "-s", "0", "-p", str(pid), "-o", log, "-e", f"trace={','.join(CALLS)}", *inject],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.end()
        if not log.exists():
            raise SetupError(f"strace could not trace a process: {traced.stderr.strip()}", help="allow ptrace here")
        text = log.read_text()
        log.unlink()
        return text


def numbered(calls: str) -> list[tuple[str, int]]:
    """Each call of a trace: its name, and which of that name it is (1, 2, …).

    Raises:
        AssertionError: several threads made them; strace would count them apart.
    """
    found = _CALL.findall(calls)
    if len({thread for thread, _ in found}) != 1:
        raise AssertionError("state is changed by several threads; strace would count them apart")
    return [(call, n) for call, most in Counter(call for _, call in found).items() for n in range(1, most + 1)]


def unreached(call: str, number: int, calls: str) -> list[str]:
    """What is wrong where nobody was disturbed at the `number`th call of a name; nothing if there are fewer pages now.

    Args:
        calls: the trace of the run that came to its end.
    """
    made = sum(name == call for name, _ in numbered(calls))
    if made >= number:
        return [f"the call was made, one of {made} of its name, and was not disturbed"]
    return [] if call == VARYING else [f"it was not reached: there are {made} calls of its name"]


def fork(work: Callable[[], object]) -> int:
    """A child that does some work and ends, with status 1 and a traceback if it raised; its process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - reported, then the child ends
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def serve(do: Callable[[Any], None], at_once: Callable[[Any], bool] = lambda job: False) -> int:
    """The warm process: do each job in a child of its own until standard input ends; some `at_once`, in this one."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        job = json.loads(line)
        if at_once(job):
            do(job)
            answers.write("{}\n")
            continue
        pid = fork(partial(do, job))
        answers.write(json.dumps({"pid": pid}) + "\n")
        answers.write(json.dumps({"status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}) + "\n")
    return 0

"""Every Python block of the README and the docs runs as it is written.

The blocks of one file run in order in one process, in an empty folder. A block of any language whose info string says
`file=NAME` is first written to that file there. A block that cannot run is tagged `python no-run`, right after a
comment that says why: `<!-- not run: ... -->`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.structure.tree import ROOT, name

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = "import sys; exec(compile(sys.stdin.read(), sys.argv[1], 'exec'), {'__name__': '__main__'})"


def fences(page: Path) -> list[tuple[Token, Token | None]]:
    """Each fenced block of a page with the token before it."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    before: list[Token | None] = [None, *tokens]
    return [(token, earlier) for token, earlier in zip(tokens, before, strict=False) if token.type == "fence"]


def program(page: Path) -> str:
    """The page's Python blocks on the lines where they stand, so that a traceback points into the page."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for fence, _ in fences(page):
        words = fence.info.split()
        if words[:1] == ["python"] and "no-run" not in words and fence.map:
            body = fence.content.splitlines()
            lines[fence.map[0] + 1 : fence.map[0] + 1 + len(body)] = body
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_python_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    for fence, _ in fences(page):
        for word in fence.info.split():
            if word.startswith("file="):
                file = tmp_path / word.removeprefix("file=")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(fence.content, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, name(page)],
        input=program(page),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_block_that_does_not_run_says_why(page: Path) -> None:
    silent = [
        fence.map
        for fence, earlier in fences(page)
        if fence.info.startswith("python no-run")
        and not (earlier and earlier.type == "html_block" and earlier.content.startswith("<!-- not run: "))
    ]
    assert not silent


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_to_files_that_exist(page: Path) -> None:
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    parts = [child for token in tokens for child in token.children or ()]
    targets = [str(part.attrGet("href") or part.attrGet("src") or "") for part in parts]
    local = [
        target.partition("#")[0] for target in targets if target and "://" not in target and "mailto:" not in target
    ]
    assert not [target for target in local if target and not (page.parent / target).exists()]

"""Did you mean: the nearest known word to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

#: Beyond this length a word is not compared: the time grows with the product of both lengths.
LONGEST = 80


def distance(a: str, b: str) -> int:
    """Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.

    Damerau, F. J. (1964). A technique for computer detection and correction of spelling errors.
    """
    above: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, above, row = above, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`, or None if none is near: at most a third of it may differ.

    A word whose last part is the same (`email` for `contact.email`) counts as near. Nothing is near an endless word.
    """
    if len(word) > LONGEST:
        return None
    best: tuple[int, bool, str] | None = None
    for other in known:
        allowed = max(1, max(len(word), len(other)) // 3)
        tail = word.rpartition(".")[2] == other.rpartition(".")[2]
        if abs(len(word) - len(other)) > allowed and not tail:
            continue
        far = 1 if tail else distance(word, other)
        rank = far, word[:1] != other[:1], other  # the first letter is seldom the wrong one
        if far <= allowed and (best is None or rank < best):
            best = rank
    return best[2] if best else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line for an unknown word, or None."""
    other = nearest(word, known)
    return f"did you mean `{other}`?" if other else None

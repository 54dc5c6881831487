"""Where in an HTML page a position stands: in text, in a quoted attribute, or where no value may be written.

The page is read as the HTML standard's tokenizer reads it (https://html.spec.whatwg.org/multipage/parsing.html), so
that a comment, a script or a quotation mark somewhere above cannot change what a place is taken for. Where browsers
may read a page in two ways (a CDATA section after an <svg>, a `<` inside <style> or <noscript>), every later place is
refused rather than guessed.

    <p>HERE</p>  <input value="HERE">  <textarea>HERE</textarea>          fine
    <a href="HERE">  <p class=HERE>  <script>"HERE"</script>  <!--HERE-->  refused

Plain tags and text, which make up nearly all of a page, are passed over by one regular expression that cannot
backtrack; the rest is read piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Attributes whose value is words for a person. Anything else (URLs, styles, handlers, ids, what a script library
#: evaluates, the title that ends in a browser's history) is refused: a list of the dangerous ones is never complete.
ATTRIBUTES = frozenset({
    "alt", "aria-braillelabel", "aria-description", "aria-label", "aria-placeholder", "aria-roledescription",
    "aria-valuetext", "datetime", "label", "placeholder", "summary", "title", "value",
})  # fmt: skip

#: Elements whose content is not read as tags (RAWTEXT, RCDATA, script data).
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"})
_END = {name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE | re.ASCII) for name in _RAW}
#: Elements after which nothing is certain: no end tag is read any more, or other elements are passed over.
_ENDLESS = frozenset({"plaintext", "frameset"})
#: Elements in which other rules hold (CDATA sections, raw elements that are not raw).
_FOREIGN = frozenset({"svg", "math"})

_WS = r"[ \t\n\f\r]"  # HTML's white space; \s would accept more
# The first letters of tags that none of the names above can begin with; others are read one by one.
_PLAIN_NAME = r"(?:[a-eghj-loqru-wyz]|f(?!r)|i(?!f)|m(?!a)|n(?!o)|p(?!l)|s(?![cv]|ty)|t(?![ei]))[a-z0-9]*+"
_PLAIN_ATTRIBUTE = rf'{_WS}++[a-z-]++(?:="[^"]*+")?+'
_PLAIN = re.compile(rf"[^<]*+(?:</?{_PLAIN_NAME}(?:>|(?:{_PLAIN_ATTRIBUTE})*+{_WS}*+/?>)[^<]*+)*+")

_TAG = re.compile(r"</?([a-zA-Z][^ \t\n\f\r/>]*+)")
_PART = re.compile(
    rf"""({_WS}|/)*+ (?: (?P<end>>)
      | (?P<name>[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)
        (?: {_WS}*+ = {_WS}*+ (?: "(?P<double>[^"]*+)(?:"|\Z) | '(?P<single>[^']*+)(?:'|\Z)
                                | (?P<bare>[^ \t\n\f\r>"'][^ \t\n\f\r>]*+) )?+ )?+ )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_REFERENCE = re.compile(r"&[#0-9A-Za-z]*\Z")

_Span = tuple[int, int, str | None]


def first_fault(page: str, marks: Sequence[int]) -> tuple[int, str] | None:
    """The first of `marks` (ascending positions) where no value may be written, with the place in words; or None."""
    reader = _Reader(page)
    for mark in marks:
        place = reader.place(mark)
        if place is not None:
            return mark, place
    return None


class _Reader:
    """Reads a page once, from left to right. All before `position` is read; `spans` tells of its last piece."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.position = 0
        self.spans: list[_Span] = []
        self.foreign = 0  # open <svg> and <math>
        self.foreign_seen = False

    def place(self, mark: int) -> str | None:
        """None where a value may stand at `mark`, or the name of the place. Marks must be asked in ascending order."""
        while mark >= self.position:
            plain = _PLAIN.match(self.page, self.position, mark)
            assert plain is not None
            self.position = plain.end()
            if self.position == mark:
                return self._text(mark)
            self._read()
        reason = next(reason for start, end, reason in self.spans if start <= mark < end)
        return reason or self._reference(mark)

    def _text(self, mark: int) -> str | None:
        if self.foreign:
            return "inside <svg> or <math>"
        if self.page.endswith("<", 0, mark):
            return "right after a '<'"  # the value's first letter would make it a tag
        return self._reference(mark)

    def _reference(self, mark: int) -> str | None:
        # '&' and a value 'lt' would be read together as '<'
        return "right after a '&'" if _REFERENCE.search(self.page, max(0, mark - 40), mark) else None

    def _read(self) -> None:
        """Read the piece that begins with the `<` at `position`."""
        page, start = self.page, self.position
        if tag := _TAG.match(page, start):
            self._read_tag(tag)
        elif page.startswith("<!--", start):
            comment = _COMMENT.match(page, start)
            self._pass(start, comment.end() if comment else len(page) + 1, "inside a comment")
        elif page.startswith("<![CDATA[", start) and self.foreign_seen:
            self._pass(start, len(page) + 1, "after a CDATA section, which browsers read in two ways")
        elif page.startswith(("<!", "<?", "</"), start):
            end = page.find(">", start)
            self._pass(start, end + 1 if end >= 0 else len(page) + 1, "inside a declaration or a broken tag")
        else:  # a '<' that begins nothing is text
            self._pass(start, start + 1, None)

    def _pass(self, start: int, end: int, reason: str | None) -> None:
        self.spans, self.position = [(start, end, reason)], end

    def _read_tag(self, tag: re.Match[str]) -> None:
        start, name, closing = tag.start(), tag[1].lower(), tag[0].startswith("</")
        spans: list[_Span] = []
        end, position, empty = len(self.page) + 1, tag.end(), False
        while part := _PART.match(self.page, position):
            position = part.end()
            if part["end"]:
                end, empty = position, part[1] == "/"
                break
            quoted = "double" if part["double"] is not None else "single" if part["single"] is not None else None
            if quoted:
                spans.append((*part.span(quoted), self._attribute(part["name"].lower(), name)))
        spans.append((start, end, f"inside the tag <{_shown(name)}>, outside a quoted attribute"))
        self.spans, self.position = spans, end
        if name in _FOREIGN:
            self.foreign = max(0, self.foreign + (-1 if closing else not empty))
            self.foreign_seen = True
        elif not closing and name in _ENDLESS:
            self._extend(len(self.page) + 1, f"inside <{name}>")
        elif not closing and name in _RAW:
            self._read_raw(name)

    def _attribute(self, name: str, element: str) -> str | None:
        if self.foreign or element in _FOREIGN:
            return "inside <svg> or <math>"
        return None if name in ATTRIBUTES else f"in the attribute {_shown(name)} of <{_shown(element)}>"

    def _read_raw(self, name: str) -> None:
        page, start = self.page, self.position
        closing = _END[name].search(page, start)
        end = closing.start() if closing else len(page) + 1
        self._extend(end, None if name == "textarea" and not self.foreign else f"inside <{name}>")
        # Without scripts <noscript> is read as tags; inside <svg> and <select> so are others. Both readings must meet
        # at the same end tag, or an attribute could be taken for text. A script has one reading outside <svg>, unless
        # it contains '<!--', after which '</script>' may not end it.
        sure = name == "script" and not self.foreign_seen and page.find("<!--", start, end) < 0
        if closing and not sure and not _PLAIN.fullmatch(page, start, end):
            self._extend(len(page) + 1, f"after a <{name}> with a '<' in it, which browsers read in two ways")

    def _extend(self, end: int, reason: str | None) -> None:
        self.spans.append((self.position, end, reason))
        self.position = end


def _shown(name: str) -> str:
    """A name as an error may show it: no markers, no markup, not endless."""
    return re.sub(r"[^a-z0-9:_-].*", "…", name, flags=re.DOTALL)[:40]

"""Judged by a browser: a value that the reader lets through is words on the page, whatever else the page holds."""

from __future__ import annotations

import json
import random

import pytest
from playwright.sync_api import sync_playwright

from avow.edge.markers import fill_html, marker
from avow.edge.places import ATTRIBUTES, first_fault
from avow.errors import Refused

MARK = "¶"
TWICE = ", which browsers read in two ways"


def fault(page: str) -> str | None:
    """The place of the one MARK on `page`."""
    found = first_fault(page, [page.index(MARK)])
    return None if found is None else found[1]


@pytest.mark.parametrize("page", [
    MARK, f"<p>{MARK}</p>", f"<P CLASS=x>{MARK}</P>", f"a < b {MARK}", f"1 <2 {MARK}", f'"{MARK}"',
    f'<input value="{MARK}">', f"<input value='{MARK}'>", f'<INPUT VALUE = "a {MARK} b" disabled>',
    f'<img alt="{MARK}"/>',
    f'<a href="/?a=b>c">{MARK}</a>', f"<a title='\">' href=x>{MARK}</a>", f'<a title="<script>">{MARK}</a>',
    f'<a title="<!--">{MARK}</a>', f"<!-- x --><p>{MARK}", f"<!--><p>{MARK}", f"<!---><p>{MARK}", f"<!----><p>{MARK}",
    f"<!-- a --!><p>{MARK}", f"<!doctype html><p>{MARK}", f"<?xml x?><p>{MARK}", f"</ x><p>{MARK}", f"</><p>{MARK}",
    f"<script>if (a < b) '<p>'</script>{MARK}", f"<SCRIPT>'</scripty>'</ScRiPt >{MARK}", f"<style>a{{}}</style>{MARK}",
    f"<textarea>{MARK}</textarea>", f"<textarea name=x>\n{MARK}", f"<title>x</title>{MARK}",
    f"<template>{MARK}</template>",
    f"<svg><title>Cart</title><path d='M1'/></svg>{MARK}", f"<svg viewBox='0 0 1 1'/>{MARK}",
    f"<math><mi>x</mi></math>{MARK}",
    f"<noscript><p>Please</p></noscript>{MARK}", f"<section><strong>{MARK}</strong></section>",
    f"<select><option>{MARK}",
    f"<a b=c/>{MARK}", f"<a b=x\"y>{MARK}", f"<a =\">{MARK}", f"<ſcript>{MARK}", f"<main>{MARK}</main>", f"&amp;{MARK}",
])  # fmt: skip
def test_text_and_worded_attributes_may_hold_a_value(page: str) -> None:
    assert fault(page) is None


@pytest.mark.parametrize(("page", "place"), [
    (f"<script>'{MARK}'</script>", "inside <script>"),
    (f"<ScRiPt type=x>{MARK}", "inside <script>"),
    (f"<script><p>{MARK}</p></script>", "inside <script>"),
    (f"<script/>{MARK}", "inside <script>"),
    (f"<style>p{{content:'{MARK}'}}</style>", "inside <style>"),
    (f"<title>{MARK}</title>", "inside <title>"),
    (f"<TITLE\n>{MARK}", "inside <title>"),
    (f"<xmp>{MARK}</xmp>", "inside <xmp>"),
    (f"<iframe>{MARK}</iframe>", "inside <iframe>"),
    (f"<noembed>{MARK}", "inside <noembed>"),
    (f"<noscript><p>{MARK}</p></noscript>", "inside <noscript>"),
    (f"<plaintext></plaintext><p>{MARK}", "inside <plaintext>"),
    (f"<frameset><textarea><!-- {MARK} --></textarea>", "inside <frameset>"),
    (f"<svg><text>{MARK}</text></svg>", "inside <svg> or <math>"),
    (f"<svg><text title='{MARK}'/></svg>", "inside <svg> or <math>"),
    (f"<svg><svg></svg>{MARK}</svg>", "inside <svg> or <math>"),
    (f"<svg a=b/>{MARK}", "inside <svg> or <math>"),
    (f"<math><mtext>{MARK}", "inside <svg> or <math>"),
    (f"<!-- {MARK} -->", "inside a comment"),
    (f"<!--{MARK}", "inside a comment"),
    (f"<!--!> {MARK}", "inside a comment"),
    (f"<!--- > {MARK} -->", "inside a comment"),
    (f"<!-- <p>--</p> - -> {MARK}", "inside a comment"),
    (f"<!doctype {MARK}>", "inside a declaration or a broken tag"),
    (f"<![CDATA[{MARK}]]>", "inside a declaration or a broken tag"),
    (f"<?php {MARK} ?>", "inside a declaration or a broken tag"),
    (f"</{MARK}>", "inside a declaration or a broken tag"),
    (f"<{MARK}>", "right after a '<'"),
    (f"a<{MARK}", "right after a '<'"),
    (f"&{MARK};", "right after a '&'"),
    (f"&#{MARK}", "right after a '&'"),
    (f"<p title='&am{MARK}'>", "right after a '&'"),
    (f"<p{MARK}>", "inside the tag <p…>, outside a quoted attribute"),
    (f"<p {MARK}>", "inside the tag <p>, outside a quoted attribute"),
    (f"<p {MARK}='x'>", "inside the tag <p>, outside a quoted attribute"),
    (f"<input value={MARK}>", "inside the tag <input>, outside a quoted attribute"),
    (f"<input value=x{MARK}>", "inside the tag <input>, outside a quoted attribute"),
    (f'<input value=x"{MARK}">', "inside the tag <input>, outside a quoted attribute"),
    (f'<input value"{MARK}">', "inside the tag <input>, outside a quoted attribute"),
    (f'<input value=/"{MARK}">', "inside the tag <input>, outside a quoted attribute"),
    (f"<p\u00a0title='{MARK}'>", "inside the tag <p…>, outside a quoted attribute"),
    (f"<p x\u000btitle='{MARK}'>", "in the attribute x… of <p>"),
    (f'<a href="{MARK}">', "in the attribute href of <a>"),
    (f'<a href="/order/{MARK}">', "in the attribute href of <a>"),
    (f'<a title="x" HREF = \'/{MARK}\'>', "in the attribute href of <a>"),
    (f'<a title="" href=""><img src="{MARK}">', "in the attribute src of <img>"),
    (f'<form action="{MARK}">', "in the attribute action of <form>"),
    (f'<button formaction="{MARK}">', "in the attribute formaction of <button>"),
    (f'<p style="{MARK}">', "in the attribute style of <p>"),
    (f'<p onclick="{MARK}">', "in the attribute onclick of <p>"),
    (f'<p ONCLICK="\'<b>{MARK}</b>\'">', "in the attribute onclick of <p>"),
    (f'<iframe srcdoc="<p>{MARK}">', "in the attribute srcdoc of <iframe>"),
    (f'<meta content="0;url={MARK}">', "in the attribute content of <meta>"),
    (f'<p data-hx-get="{MARK}">', "in the attribute data-hx-get of <p>"),
    (f'<p id="{MARK}">', "in the attribute id of <p>"),
    (f"<p x=\"a title='{MARK}'>", "in the attribute x of <p>"),
    (f'<p ="{MARK}">', "inside the tag <p>, outside a quoted attribute"),
    (f"<svg><![CDATA[<a title=']]><p>{MARK}", "after a CDATA section" + TWICE),
    (f"<svg></svg><![CDATA[>]]>{MARK}", "after a CDATA section" + TWICE),
    (f"<noscript><a title='</noscript>{MARK}'>", "after a <noscript> with a '<' in it" + TWICE),
    (f"<svg><style><a title='</style>{MARK}'>", "after a <style> with a '<' in it" + TWICE),
    (f"<select><style><!--</style>{MARK}-->", "after a <style> with a '<' in it" + TWICE),
    (f"<script><!--<script></script>{MARK}", "after a <script> with a '<' in it" + TWICE),
    (f"<svg><script>'a<b'</script></svg>{MARK}", "after a <script> with a '<' in it" + TWICE),
])  # fmt: skip
def test_every_other_place_is_refused_by_name(page: str, place: str) -> None:
    assert fault(page) == place


def test_urls_styles_and_handlers_are_not_among_the_worded_attributes() -> None:
    risky = {
        "href",
        "src",
        "srcset",
        "action",
        "formaction",
        "style",
        "srcdoc",
        "content",
        "id",
        "class",
        "name",
        "data",
    }
    assert not risky & ATTRIBUTES
    assert not [name for name in ATTRIBUTES if name.startswith(("on", "data-", "hx-", "x-"))]


def test_marks_are_judged_one_by_one_and_the_first_fault_is_told() -> None:
    page = f'<p title="{MARK}" id="{MARK}">{MARK}<textarea>{MARK} {MARK}</textarea>{MARK}</p><script>{MARK}</script>'
    marks = [index for index, letter in enumerate(page) if letter == MARK]
    assert first_fault(page, marks) == (marks[1], "in the attribute id of <p>")
    assert first_fault(page, marks[:1] + marks[2:6]) is None
    assert first_fault(page, marks[2:]) == (marks[6], "inside <script>")


PIECES = (
    "<p>", "</p>", "<b>", "<div class='c'>", "</div>", '<a href="/x">', "</a>", "<", ">", "</", "<!", "<!--", "-->",
    "--!>",
    "<!-->", "<!--->", "<?", "<![CDATA[", "]]>", '"', "'", "=", " ", "\n", "\f", "/", "&", "&amp;", "a", "x=",
    'title="',
    "title='", "title=", ' value="', ' href="', ' onclick="', " style='", '<input value="', "<input ", "<img alt='",
    "<br/>",
    "<script>", "</script>", "<SCRIPT >", "<style>", "</style>", "<title>", "</title>", "<textarea>", "</textarea>",
    "<svg>",
    "</svg>", "<svg/>", "<math>", "</math>", "<mi>", "<foreignObject>", "</foreignObject>", "<desc>", "<noscript>",
    "</noscript>", "<xmp>", "</xmp>", "<iframe>", "</iframe>", "<iframe srcdoc='", "<template>", "</template>",
    "<select>",
    "</select>", "<option>", "<table>", "<tr>", "<td>", "</table>", "<plaintext>", "<noembed>", "</noembed>",
    "<style/>",
    "<frameset>", "<head>", "<body>", "<br", "<p\tclass=x>", "<a title=x/y>", "\u00a0", "\u000b", "<ſtyle>", "<main>",
)  # fmt: skip
NONCE = "0123456789ab"
VALUE = "zz<i x='y\">&lt;zz"  # breaks out of anything it is not escaped for, and begins a tag if it is read as markup

# What a browser makes of the page: every node and attribute that holds the value, and elements that the value made.
READ = """pages => pages.map(page => {
    const found = [], value = "zz<i x='y\\">&lt;zz";
    const walk = node => {
        for (const child of node.childNodes) {
            if (child.nodeType === 1) {
                if (child.hasAttribute("x") && child.localName === "i") found.push("element made by the value");
                if (child.nodeName.toLowerCase().includes("zz")) found.push("tag named by the value");
                for (const attribute of child.attributes) {
                    if (attribute.name.includes("zz")) found.push("attribute named by the value");
                    else if (attribute.value.includes(value)) found.push("@" + attribute.name);
                    else if (attribute.value.includes("zz")) found.push("value torn in an attribute");
                }
            } else if ((child.nodeValue ?? "").includes("zz"))
                found.push(child.nodeType !== 3 ? "comment" : !child.nodeValue.includes(value)
                    ? "value torn in text" : "text in " + node.nodeName.toLowerCase());
            walk(child);
            if (child.localName === "template" && child.content) walk(child.content);
        }
    };
    SETUP
    walk(tree);
    return found;
})"""
PARSERS = {
    "without scripts": "const tree = new DOMParser().parseFromString(page, 'text/html');",
    "with scripts": "const frame = document.querySelector('iframe') ?? document.body.appendChild("
    "document.createElement('iframe'));"
    "const tree = frame.contentDocument; tree.open(); tree.write(page); tree.close();",
}
HIDDEN = {"script", "style", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}


def accepted_pages(count: int, seed: int) -> list[str]:
    """Pages of random pieces with a marker among them, which `fill_html` filled in."""
    choose = random.Random(seed)
    pages: list[str] = []
    while len(pages) < count:
        pieces = choose.choices(PIECES, k=choose.randrange(1, 14))
        pieces.insert(choose.randrange(len(pieces) + 1), marker(NONCE, 0))
        try:
            pages.append(fill_html("".join(pieces), NONCE, lambda _: VALUE))
        except Refused:
            continue
    return pages


def test_what_is_filled_in_is_words_to_a_real_browser() -> None:
    pages = accepted_pages(3_000, seed=2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            tab = browser.new_page()
            tab.route("**", lambda route: route.abort())
            for setup in PARSERS.values():
                tab.set_content("<body></body>")
                for page, seen in zip(pages, tab.evaluate(READ.replace("SETUP", setup), pages), strict=True):
                    allowed = {f"@{name}" for name in ATTRIBUTES}
                    bad = [one for one in seen if one not in allowed and not one.startswith("text in ")]
                    bad += [one for one in seen if one.removeprefix("text in ") in HIDDEN]
                    assert not bad, json.dumps({"page": page, "seen": seen})
        finally:
            browser.close()

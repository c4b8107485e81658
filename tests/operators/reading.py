"""The words of a page: what people see, and what a screen reader says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser

UNSEEN = {"script", "style", "template", "code", "pre"}
SAID = ("aria-label", "title", "placeholder", "alt")
BUTTONS = {"submit", "button", "reset"}
ICONS = "material-symbols-outlined"  # their text is the name of a picture
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NO_WORDS = re.compile(r"<!--.*?-->|<!doctype[^>]*>|<(script|style)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"""(</?[a-zA-Z](?:"[^"]*"|'[^']*'|[^'">])*>)""")


@dataclass
class _Tag:
    """`said`: its attributes that are words."""

    name: str = ""
    said: tuple[str, ...] = ()
    begins: bool = False
    ends: bool = False
    hides: bool = False


class _Reader(HTMLParser):
    """Reads one tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tag = _Tag()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        said = [facts.get(name) or "" for name in SAID]
        if tag == "input" and facts.get("type") in BUTTONS:
            said.append(facts.get("value") or "")
        hides = tag in UNSEEN or ICONS in (facts.get("class") or "")
        self.tag = _Tag(tag, tuple(said), begins=tag not in VOID, hides=hides)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.tag.ends = self.tag.begins

    def handle_endtag(self, tag: str) -> None:
        self.tag = _Tag(tag, ends=True)


@cache  # pages have most tags in common
def _read(tag: str) -> _Tag:
    reader = _Reader()
    reader.feed(tag)
    return reader.tag


def words_of(html: str) -> set[str]:
    return set(filter(None, (" ".join(text.split()) for text in _texts_of(NO_WORDS.sub("", html)))))


def _texts_of(html: str) -> Iterator[str]:
    open_tags: list[tuple[str, bool]] = []  # each tag, and whether what it holds is seen
    for number, part in enumerate(TAG.split(html)):
        is_seen = not open_tags or open_tags[-1][1]
        if number % 2 == 0:
            if is_seen:
                yield unescape(part)
            continue
        tag = _read(part)
        yield from tag.said
        if tag.begins:
            open_tags.append((tag.name, is_seen and not tag.hides))
        if tag.ends and any(name == tag.name for name, _ in open_tags):
            while open_tags.pop()[0] != tag.name:
                pass

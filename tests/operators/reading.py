"""The words of a page: what people see, and what a screen reader says."""

from html.parser import HTMLParser

UNSEEN = {"script", "style", "template", "code", "pre"}
SAID = ("aria-label", "title", "placeholder", "alt")
BUTTONS = {"submit", "button", "reset"}
ICONS = "material-symbols-outlined"  # their text is the name of a picture
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._open: list[tuple[str, bool]] = []  # each tag, and whether what it holds is seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self._note(*(facts.get(name) or "" for name in SAID))
        if tag == "input" and facts.get("type") in BUTTONS:
            self._note(facts.get("value") or "")
        if tag not in VOID:
            hides = tag in UNSEEN or ICONS in (facts.get("class") or "")
            self._open.append((tag, not hides and (not self._open or self._open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        if any(each == tag for each, _ in self._open):
            while self._open and self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][1]:
            self._note(data)

    def _note(self, *texts: str) -> None:
        self.found.update(filter(None, (" ".join(text.split()) for text in texts)))


def words_of(html: str) -> set[str]:
    words = _Words()
    words.feed(html)
    return words.found

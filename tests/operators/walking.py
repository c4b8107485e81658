"""A walk through pages of the admin, each of which is looked at: most of them in a browser that has all it needs but their words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

from tests.operators import furnished, looks, states
from tests.operators.kinds import kinds_of
from tests.operators.states import State

BLANK = "about:blank"


def client(language: str, name: str = "") -> Client:
    """One who reads this language, and is signed in if there is a `name`. Sees the page that says what has failed."""
    found = Client(raise_request_exception=False, headers={"Accept": "text/html", "Accept-Language": language})
    if name:
        found.force_login(User.objects.get(username=name))
    return found


@dataclass(frozen=True)
class Answered:
    """A page as the server has sent it, and the `kinds` of what it is made of."""

    name: str
    path: str
    answer: Any
    html: str
    kinds: frozenset[str]


@dataclass
class Walk:
    """`page` shows what clients get from `url`. axe looks at a page that has something which no page before had.

    A page with a script that is new, or that acts by itself, is loaded. All others take the place of the page that is open:
    loading takes ten times as long, and what they look like is said by their elements and styles. EVERY_LOOK=1: all are loaded.
    """

    page: Page
    url: str
    language: str
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _examined: set[str] = field(default_factory=set)

    def open(self, browser: Client, places: Iterable[tuple[str, str]]) -> None:
        """Those of these places that are pages. First come the ones with most that is new: then axe looks at the fewest."""
        answers = ((name, path, browser.get(path, follow=name in furnished.MORE)) for name, path in places)
        shown = (each for each in answers if each[0] in furnished.MORE or is_page(each[2]))
        left = [self._read(*each) for each in shown]
        while left:
            newest = max(left, key=lambda each: len(each.kinds - self._examined))
            left.remove(newest)
            self._look_at(newest, self._show(newest))

    def reach(self, browser: Client, wanted: Iterable[State]) -> None:
        """These states, each while the server is in it."""
        for state in wanted:
            answered = self._read(state.name, state.path, states.answer_to(browser, state))
            kinds = self._show(answered, acts=state.acts)
            assert self.page.locator(state.sign).first.is_visible(), f"{state.name} is not reached"
            self._look_at(answered, kinds)
            if state.acts:
                self.page.goto(BLANK)

    def _read(self, name: str, path: str, answer: Any) -> Answered:
        html = answer.content.decode()
        return Answered(name, path, answer, html, kinds_of(self.page, html))

    def _show(self, answered: Answered, *, acts: bool = False) -> frozenset[str]:
        """Returns what it is made of, with what its scripts have made."""
        has_new_script = any(each.startswith("script ") for each in answered.kinds - self._examined)
        if looks.EVERY_LOOK or acts or has_new_script or self.page.url == BLANK:
            self._load(answered)
            return answered.kinds | kinds_of(self.page, self.page.content())
        self.page.evaluate(looks.PUT, answered.html)
        return answered.kinds

    def _load(self, answered: Answered) -> None:
        """It has been asked for already: the browser is given the answer."""
        address = self.url + answered.path.partition("#")[0]
        facts = {"status": answered.answer.status_code, "headers": dict(answered.answer.items()), "body": answered.html}
        self.page.route(address, lambda route, _request: route.fulfill(**facts))
        self.page.goto(self.url + answered.path)
        self.page.unroute(address)
        self.page.add_style_tag(content=looks.STILL)
        if self.seen:  # axe has looked at the menu
            self.page.evaluate(looks.EMPTY_THE_MENU)

    def _look_at(self, answered: Answered, kinds: frozenset[str]) -> None:
        is_new = bool(kinds - self._examined)
        self._examined |= kinds
        self.seen.append(answered.name)
        by_axe = self.language == "en" and (is_new or looks.EVERY_LOOK)
        faults = looks.faults if by_axe else looks.of_words
        self.wrong += [f"{answered.name}, {fault}" for fault in faults(self.page, self.language)]


def is_page(answer: Any) -> bool:
    return bool(answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"))

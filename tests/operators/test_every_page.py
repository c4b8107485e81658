"""Every page of the admin, found from its URL map: axe finds nothing, wide and on a phone, light and dark; German words fit on a phone.

`make axe` takes minutes. Among all other tests axe looks at the pages that have some element which no page before had, our own rules
at each; and German words, which test_german reads, are not measured.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page

from tests import browser
from tests.conftest import MakeClient
from tests.operators import furnished, looks
from tests.operators.looking import let_in
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)
OUTSIDE = {"sign-in": "login/", "forgotten-password": "forgotten-password/", "link-without-token": "new-password/"}
PAGES_AT_LEAST = 100
FaultsOf = Callable[[Page, str], Iterator[str]]


@pytest.mark.parametrize("language", ["en", "de"] if looks.EVERY_LOOK else ["en"])
def test_nothing_is_wrong_with_any_page(client_for: MakeClient, live_server: object, language: str) -> None:
    faults_of = looks.of_words if language == "de" else of_all_rules()
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    inside = list(furnished.places(furnished.furnish(client_for)))
    outside = [(name, f"/admin/{path}") for name, path in OUTSIDE.items()]
    seen: list[str] = []
    wrong: list[str] = []
    with browser.page(locale=language, extra_http_headers={"Accept-Language": language}) as page:
        let_in(page, url)
        for name in opened(page, url, inside):
            if seen:
                page.add_style_tag(content=looks.MENU_SEEN)
            seen.append(name)
            wrong += [f"{name}, {fault}" for fault in faults_of(page, language)]
        page.context.clear_cookies()
        for name in opened(page, url, outside):
            wrong += [f"{name}, {fault}" for fault in faults_of(page, language)]
    assert len(seen) >= PAGES_AT_LEAST
    assert not wrong, "\n".join(wrong)


def of_all_rules() -> FaultsOf:
    examined = looks.Examined()
    return lambda page, language: (looks.faults if examined.has_something_new(page) else looks.of_words)(page, language)


def opened(page: Page, url: str, addresses: list[tuple[str, str]]) -> Iterator[str]:
    """The names of those that are pages, while each is open. It is asked for once: the browser is given the answer."""
    for name, path in addresses:
        answer = page.context.request.get(url + path, headers={"Accept": "text/html"}, max_redirects=0)
        if name in furnished.MORE or is_page(answer):
            page.route(url + path, lambda route, _request, answer=answer: route.fulfill(response=answer))
            page.goto(url + path)
            page.unroute(url + path)
            yield name


def is_page(answer: APIResponse) -> bool:
    return answer.status == 200 and answer.headers["content-type"].startswith("text/html")

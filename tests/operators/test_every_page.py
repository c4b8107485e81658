"""Every page of the admin, found from its URL map: axe finds nothing, wide and on a phone, light and dark; German words fit on a phone.

`make axe` takes minutes. Among all other tests axe looks at the pages that have some element which no page before had, our own rules
at each; and German words, which test_german reads, are not measured.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import pytest
from playwright.sync_api import APIResponse, Page

from tests import browser
from tests.conftest import MakeClient
from tests.operators import furnished, looks, states
from tests.operators.looking import let_in
from tests.operators.signing_in import operator
from tests.operators.states import State

pytestmark = pytest.mark.django_db(transaction=True)
OUTSIDE = {"sign-in": "login/", "forgotten-password": "forgotten-password/", "link-without-token": "new-password/"}
PAGES_AT_LEAST = 100
LISTS = None if looks.EVERY_LOOK else 3  # without rows: all have one template
FaultsOf = Callable[[Page, str], Iterator[str]]


@pytest.mark.parametrize("language", ["en", "de"] if looks.EVERY_LOOK else ["en"])
def test_nothing_is_wrong_with_any_page(client_for: MakeClient, live_server: object, language: str) -> None:
    faults_of = looks.of_words if language == "de" else of_all_rules()
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    outside = [(name, f"/admin/{path}") for name, path in OUTSIDE.items()]
    seen: list[str] = []
    wrong: list[str] = []
    with browser.page(locale=language, extra_http_headers={"Accept-Language": language}) as page:
        let_in(page, url)
        for name in signed_in(page, url, client_for):
            if seen:
                page.add_style_tag(content=looks.MENU_SEEN)
            seen.append(name)
            wrong += [f"{name}, {fault}" for fault in faults_of(page, language)]
        states.answer_to(page, url, states.INVITATION)
        page.context.clear_cookies()
        for name in chain(
            opened(page, url, outside), reached(page, url, states.of_guests(states.token_of_last_mail()))
        ):
            wrong += [f"{name}, {fault}" for fault in faults_of(page, language)]
    assert len(seen) >= PAGES_AT_LEAST
    assert not wrong, "\n".join(wrong)


def signed_in(page: Page, url: str, client_for: MakeClient) -> Iterator[str]:
    yield from opened(page, url, states.empty_lists()[:LISTS])
    user = furnished.furnish(client_for)
    yield from opened(page, url, [*furnished.places(user), *states.lists_filtered_to_nothing()[:LISTS]])
    yield from reached(page, url, states.of_signed_in(user))
    with states.something_failing() as state:
        yield from reached(page, url, [state])


def of_all_rules() -> FaultsOf:
    examined = looks.Examined()
    return lambda page, language: (looks.faults if examined.has_something_new(page) else looks.of_words)(page, language)


def opened(page: Page, url: str, addresses: list[tuple[str, str]]) -> Iterator[str]:
    """The names of those that are pages, while each is open. It is asked for once: the browser is given the answer."""
    for name, path in addresses:
        answer = page.context.request.get(url + path, headers={"Accept": "text/html"}, max_redirects=0)
        if name in furnished.MORE or is_page(answer):
            show(page, url + path, answer)
            yield name


def reached(page: Page, url: str, wanted: Iterable[State]) -> Iterator[str]:
    """The names of these states, while the page in each is open."""
    for state in wanted:
        show(page, url + state.path, states.answer_to(page, url, state))
        assert page.locator(state.sign).first.is_visible(), f"{state.name} is not reached"
        yield state.name


def show(page: Page, address: str, answer: APIResponse) -> None:
    address_sent = address.partition("#")[0]
    page.route(address_sent, lambda route, _request: route.fulfill(response=answer))
    page.goto(address)
    page.unroute(address_sent)


def is_page(answer: APIResponse) -> bool:
    return answer.status == 200 and answer.headers["content-type"].startswith("text/html")

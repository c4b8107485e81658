"""Every page of the admin, found from its URL map: axe finds nothing, wide and on a phone, light and dark; German words fit on a phone.

`make axe` takes minutes. Among all other tests axe looks at the pages that have some element which no page before had, our own rules
at each; and German words, which test_german reads, are not measured.
"""

import pytest
from django.test import Client

from tests import browser
from tests.conftest import MakeClient
from tests.operators import furnished, looks, states
from tests.operators.looking import let_in
from tests.operators.signing_in import operator
from tests.operators.walking import Walk, client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]
OUTSIDE = {"sign-in": "login/", "forgotten-password": "forgotten-password/", "link-without-token": "new-password/"}
PAGES_AT_LEAST = 100
LISTS = None if looks.EVERY_LOOK else 3  # without rows: all have one template


@pytest.mark.parametrize("language", ["en", "de"] if looks.EVERY_LOOK else ["en"])
def test_nothing_is_wrong_with_any_page(client_for: MakeClient, live_server: object, language: str) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    name = operator().username
    with browser.page(locale=language, extra_http_headers={"Accept-Language": language}) as page:
        let_in(page, url)
        walk = Walk(page, url, language)
        of_operator(walk, client(language, name), client_for)
        assert len(walk.seen) >= PAGES_AT_LEAST
        page.context.clear_cookies()
        page.goto("about:blank")
        of_guest(walk, client(language))
    assert not walk.wrong, "\n".join(walk.wrong)


def of_operator(walk: Walk, browser: Client, client_for: MakeClient) -> None:
    walk.open(browser, states.empty_lists()[:LISTS])
    user = furnished.furnish(client_for)
    walk.open(browser, [*furnished.places(user), *states.lists_filtered_to_nothing()[:LISTS]])
    walk.reach(browser, states.of_signed_in(user))
    with states.something_failing() as state:
        walk.reach(browser, [state])
    states.answer_to(browser, states.INVITATION)


def of_guest(walk: Walk, browser: Client) -> None:
    walk.open(browser, [(name, f"/admin/{path}") for name, path in OUTSIDE.items()])
    walk.reach(browser, states.of_guests(states.token_of_last_mail()))

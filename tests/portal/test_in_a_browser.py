"""From the link in the mail to a new password, in a real browser."""

import re

import pytest

from apps.mail import outbox
from apps.mail.models import Message
from tests import browser, factories
from tests.conftest import MakeClient
from tests.signin.entering import EMAIL, FRESH, login, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_token_goes_from_the_address_into_the_form_and_nowhere_else(
    client_for: MakeClient, live_server: object, settings: object, scheme: str
) -> None:
    settings.PUBLIC_URL = live_server.url  # type: ignore[attr-defined]
    customer = factories.customer()
    member(customer)
    with browser.kept_page() as page:
        page.set_viewport_size({"width": 390, "height": 780})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{live_server.url}/account/{customer.slug}/forgot-password")  # type: ignore[attr-defined]
        page.get_by_label("Email address").fill(EMAIL)
        page.get_by_role("button").click()
        page.get_by_role("status").wait_for()
        text = outbox.content_of(Message.objects.get(kind="password_reset")).text
        found = re.search(r"http://\S+#token=\S+", text)
        assert found
        page.goto(found[0])
        page.get_by_label("New password").fill(FRESH)
        assert "token" not in page.url
        assert not page.get_by_label("The code at the end of the link").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button").click()
        assert "has been changed" in page.get_by_role("status").inner_text()
    assert login(client_for(customer), FRESH).status == 200

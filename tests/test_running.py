"""The fixtures of tests/running.py: what a browser meets is the whole service, at the address by which it calls itself."""

import pytest

from tests import browser, factories
from tests.running import Running, app

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_running_service_sends_mails_and_serves_browsers(running: Running) -> None:
    customer = factories.customer(code_resend_after=0)
    client = running.server.client(
        api_key=factories.api_key(customer)[1],
        public_jwk=running.server.client().call("GET", "/.well-known/jwks.json").document["keys"][0],
    )
    for count in (1, 2):
        assert client.request_otp("ada@example.com").status == 200
        code = running.mailbox.wait_for_code("ada@example.com", count=count)
        signed_in = client.verify_otp("ada@example.com", code)
        assert signed_in.status == 200, signed_in.document
    assert running.mailbox.to("eve@example.com") == []
    an_app_of_its_own_origin_and_the_services_own_pages(running)


def an_app_of_its_own_origin_and_the_services_own_pages(running: Running) -> None:
    with app({"/": "<!doctype html><title>An app</title>"}) as origin, browser.page() as page:
        page.goto(origin)
        assert page.title() == "An app"
        assert page.evaluate("window.isSecureContext")
        answer = page.goto(running.url)
        assert answer is not None
        assert answer.status == 200

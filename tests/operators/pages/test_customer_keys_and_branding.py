"""Keys made from a customer's page, and its mails as they look: previewed, and sent to try."""

import pytest
from django.test import Client

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.models import MailQuotaUse, Message
from tests import factories
from tests.conftest import MakeClient
from tests.operators.pages.customer_form import page_of
from tests.operators.saving import opened

pytestmark = pytest.mark.django_db(transaction=True)
KEY = {"name": "Web", "environment": "live", "scopes": ["auth"]}


@pytest.fixture
def customer() -> Customer:
    return factories.customer(name="Acme", colour="#B00020")


def test_a_key_is_shown_once_by_the_next_page_and_loading_it_again_makes_none(
    browser: Client, customer: Customer
) -> None:
    path = page_of(customer, "keys")
    form = {**KEY, **opened(browser, path)}
    made = browser.post(path, form)
    assert made.status_code == 302
    shown = browser.get(made.headers["Location"])
    key = ApiKey.objects.of(customer.id).get()
    assert f"ghk_live_{key.key_id}_" in shown.content.decode()
    assert f'href="{path}"' in shown.content.decode(), "back to the keys"
    assert browser.get(made.headers["Location"]).status_code == 410
    assert browser.post(path, form).status_code == 200, "the same form, sent again"
    assert ApiKey.objects.of(customer.id).count() == 1
    assert f"ghk_live_{key.key_id}_…" in browser.get(path).content.decode()


def test_a_key_is_of_this_customer_whatever_the_form_says(browser: Client, customer: Customer) -> None:
    other, path = factories.customer(), page_of(customer, "keys")
    assert browser.post(path, {**KEY, "customer": other.id, **opened(browser, path)}).status_code == 302
    assert ApiKey.objects.get().customer_id == customer.id


def test_a_form_with_a_fault_makes_no_key(browser: Client, customer: Customer) -> None:
    path = page_of(customer, "keys")
    for wrong in ({"name": ""}, {"scopes": ["everything"]}, {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}):
        assert browser.post(path, {**KEY, **wrong, **opened(browser, path)}).status_code == 200
    assert not ApiKey.objects.exists()


def test_keys_of_others_are_not_listed(browser: Client, customer: Customer) -> None:
    mine, _ = factories.api_key(customer)
    other, _ = factories.api_key(factories.customer())
    page = browser.get(page_of(customer, "keys")).content.decode()
    assert mine.key_id in page
    assert other.key_id not in page
    for name in ("rotate", "revoke"):
        assert f"/admin/api_keys/apikey/{mine.id}/{name}/" in page


def test_the_preview_is_the_mail_as_it_would_be_sent(browser: Client, customer: Customer) -> None:
    english = browser.get(page_of(customer, "branding"))
    german = browser.get(page_of(customer, "branding"), {"language": "de"})
    assert english.context["mail"].subject == "123456 is your code for Acme"
    assert "#B00020" in english.context["mail"].html
    assert "123456" in german.context["mail"].text
    assert german.context["mail"].text != english.context["mail"].text
    assert browser.get(page_of(customer, "branding"), {"language": "x\0"}).status_code in (200, 400)


def test_a_name_is_no_way_into_the_page(browser: Client, customer: Customer) -> None:
    """The mail stands in a frame without scripts, and its HTML in an attribute."""
    factories.policy(customer, name='"><script>alert(1)</script>')
    page = browser.get(page_of(customer, "branding")).content.decode()
    assert "<script>alert(1)" not in page
    assert 'sandbox=""' in page


def test_the_logo_alone_may_be_loaded_from_elsewhere(browser: Client, customer: Customer) -> None:
    path = page_of(customer, "branding")
    assert "cdn" not in browser.get(path).headers["Content-Security-Policy"]
    factories.policy(customer, logo_url="https://cdn.example.com/acme.png")
    policy = browser.get(path).headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://cdn.example.com" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "cdn" not in browser.get(page_of(customer)).headers["Content-Security-Policy"]
    Customer.objects.update(logo_url="https://x;script-src *.evil.example/a.png")
    assert "evil" not in browser.get(path).headers["Content-Security-Policy"]


def test_a_test_mail_goes_by_the_queue_and_uses_up_nothing(browser: Client, customer: Customer) -> None:
    answer = browser.post(page_of(customer, "branding"), {"email": "Ops@Example.com"})
    assert answer.status_code == 302
    message = Message.objects.get()
    assert (message.kind, message.recipient, message.state) == ("test_mail", "Ops@Example.com", "queued")
    mail = outbox.content_of(message)
    assert "A test mail of Acme" in mail.text
    assert "#B00020" in mail.html  # type: ignore[union-attr]
    assert not MailQuotaUse.objects.of(customer.id).exists()
    event = Event.objects.get(action="test_mail_sent")
    assert (event.customer_id, event.actor) == (customer.id, "operator:ops@example.com")
    assert "example.com" not in str(event.details)


def test_the_code_of_a_test_mail_opens_nothing(browser: Client, customer: Customer, client_for: MakeClient) -> None:
    browser.post(page_of(customer, "branding"), {"email": "ada@example.com"})
    assert client_for(customer).verify_otp("ada@example.com", "123456").error_type == "invalid_otp"


def test_test_mails_have_an_end(browser: Client, customer: Customer) -> None:
    """An operator's session is no way to flood a mailbox."""
    for _ in range(20):
        assert browser.post(page_of(customer, "branding"), {"email": "ada@example.com"}).status_code == 302
    assert browser.post(page_of(customer, "branding"), {"email": "ada@example.com"}).status_code == 200
    assert Message.objects.count() == 20


@pytest.mark.parametrize("wrong", ["", "nobody", "a@b@c", "a@example.com\nBcc: eve@example.com"])
def test_no_mail_is_sent_to_what_is_no_address(browser: Client, customer: Customer, wrong: str) -> None:
    assert browser.post(page_of(customer, "branding"), {"email": wrong}).status_code == 200
    assert not Message.objects.exists()

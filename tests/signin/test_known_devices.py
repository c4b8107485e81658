"""A sign-in from a device that was not seen before is worth a mail."""

import pytest

from apps.audit.models import Event
from apps.mail import outbox
from apps.mail.models import Message
from apps.signin.models import KnownDevice
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEWER_FIREFOX = FIREFOX.replace("140", "141")
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"


def test_a_new_device_is_told_by_mail_and_the_first_of_all_is_not(client_for: MakeClient) -> None:
    """Issue: a mail about a new device; C8: new device."""
    customer = generous()
    user = member(customer)
    laptop, phone = (client_for(customer, headers={"User-Agent": agent}) for agent in (FIREFOX, SAFARI))
    login(laptop)
    assert not Message.objects.exists()
    login(phone)
    message = Message.objects.get()
    assert (message.kind, message.recipient) == ("new_device", EMAIL)
    text = outbox.content_of(message).text
    assert "Mobile Safari on iOS" in text
    assert "192.0.2.7" in text
    assert f"/account/{customer.slug}/forgot-password" in text
    event = Event.objects.get(action="new_device")
    assert (event.user_id, event.severity, event.details) == (user.id, "low", {"device": "Mobile Safari on iOS"})
    login(phone)
    login(laptop)
    assert Message.objects.count() == 1


def test_a_newer_version_of_the_same_browser_is_no_new_device(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    for agent in (FIREFOX, NEWER_FIREFOX):
        login(client_for(customer, headers={"User-Agent": agent}))
    assert KnownDevice.objects.get().name == "Firefox on Windows"
    assert not Message.objects.exists()


def test_devices_of_one_user_are_not_known_for_another(client_for: MakeClient) -> None:
    one, other = generous(), generous()
    member(one)
    member(other)
    login(client_for(one, headers={"User-Agent": FIREFOX}))
    login(client_for(other, headers={"User-Agent": SAFARI}))
    login(client_for(other, headers={"User-Agent": FIREFOX}))
    assert Message.objects.get().customer_id == other.id


def test_a_sign_in_by_code_tells_too_and_a_sandbox_sends_nothing(client_for: MakeClient) -> None:
    """C1.7."""
    customer = factories.customer(code_resend_after=0)
    _row, key = factories.api_key(customer, environment="test")
    for agent in (FIREFOX, SAFARI):
        client = client_for(None, headers={"User-Agent": agent, "X-OTP-API-Key": key})
        client.request_otp(EMAIL)
        assert client.verify_otp(EMAIL, newest_code()).status == 200
    assert Message.objects.get(kind="new_device").state == "sandboxed"

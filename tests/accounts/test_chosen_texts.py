"""Until an address is proven, a mail to it contains no text that the requester chose (C4): nobody sends spam through us."""

import pytest
from django.test import Client as Browser
from django.utils import timezone

from apps.customers import state
from apps.customers.models import Customer
from apps.mail import outbox
from apps.mail.content import Content
from apps.mail.models import Message
from apps.users import notices
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, login

pytestmark = pytest.mark.django_db(transaction=True)
SPAM = "Cheap pills at evil.example"
WORDS = ("pills", "evil", "cheap")
VICTIM = "victim@example.org"


def mails() -> list[Content]:
    contents = [outbox.content_of(row) for row in Message.objects.exclude(content="").order_by("id")]
    return [content for content in contents if isinstance(content, Content)]


def is_clean(mail: Content) -> bool:
    whole = f"{mail.subject} {mail.text} {mail.html} {mail.sender} {mail.reply_to}".lower()
    return not any(word in whole for word in WORDS)


def signed_up(client_for: MakeClient, email: str = EMAIL) -> tuple[Client, Customer]:
    document = {"email": email, "password": PASSWORD, "organization": SPAM}
    made = client_for(None).before_sign_in("/api/auth/signup", document).document
    client = client_for(None, headers={"X-OTP-API-Key": made["api_key"]})
    return client, Customer.objects.get(id=made["customer"]["id"])


def test_what_an_organization_calls_itself_stands_in_no_mail_until_its_owner_has_proven_an_address(
    client_for: MakeClient,
) -> None:
    """Seen: it stood in subject, sender and body."""
    client, customer = signed_up(client_for)
    (first,) = mails()
    assert is_clean(first)
    assert first.sender == "Gatehouse <no-reply@auth.example.test>"
    assert verify(client, newest_code()).status == 200
    assert state.read(customer.id).branding.name == SPAM
    client.request_otp("somebody@example.org")
    assert not is_clean(mails()[-1]), "from then on it is known whose customer it is"


def test_nor_in_a_mail_to_anybody_else_that_it_has_sent_with_its_key(client_for: MakeClient) -> None:
    client, customer = signed_up(client_for)
    factories.limit(customer, "codes_per_ip", 100)
    client.request_otp(VICTIM)
    register(client, email="another@example.org", name=SPAM)
    forgot(client)
    forgot(client_for(None))
    assert len(mails()) == 5
    assert all(map(is_clean, mails()))


def test_a_link_of_such_a_customer_works_without_its_name(client_for: MakeClient) -> None:
    client, customer = signed_up(client_for)
    forgot(client)
    token, page = mailed_token(), f"/account/{customer.id}/reset-password"
    assert page in mails()[-1].text
    shown = Browser().get(page)
    assert shown.status_code == 200
    assert SPAM not in shown.content.decode()
    assert reset(client, token).status == 200


def test_a_customer_that_an_operator_made_has_its_name_in_mails_from_the_first(client_for: MakeClient) -> None:
    """C7.3."""
    client_for(factories.customer(name="Acme")).request_otp(VICTIM)
    assert mails()[-1].sender.startswith("Acme <")


@pytest.mark.parametrize("way", ["register", "sign in"])
def test_a_persons_own_name_is_in_no_mail_to_an_unproven_address(client_for: MakeClient, way: str) -> None:
    """Because anybody may give any name for any address."""
    customer = quick(demands_verified_email=False)
    client = client_for(customer)
    register(client, email=VICTIM, name=SPAM)
    if way == "sign in":
        token = login(client, PASSWORD, VICTIM).document["access_token"]
        client.patch("/api/auth/me", {"name": SPAM}, token=token)
        client.post("/api/auth/change-email", {"email": "second@example.org", "password": PASSWORD}, token=token)
    assert mails()
    assert all(map(is_clean, mails()))


CHOSEN = [
    (notices.NEW_DEVICE, {"device": SPAM, "ip": "192.0.2.7", "time": "today"}),
    (notices.FACTOR_ADDED, {"factor": SPAM}),
    (notices.FACTOR_REMOVED, {"factor": SPAM}),
    (notices.PASSKEY_CLONED, {"passkey": SPAM}),
]


@pytest.mark.parametrize(("kind", "facts"), CHOSEN)
@pytest.mark.parametrize("locale", ["en", "de"])
def test_what_somebody_calls_passkeys_and_devices_is_told_to_proven_addresses_alone(
    kind: str, facts: dict[str, str], locale: str
) -> None:
    customer = factories.customer(default_locale=locale)
    user = factories.user(customer)
    for proven in (None, timezone.now()):
        User.objects.filter(id=user.id).update(email_verified_at=proven)
        user.refresh_from_db()
        now = timezone.now()
        notices.post(kind, customer=state.read(customer.id), user=user, context=factories.context(now=now), **facts)
        assert is_clean(mails()[-1]) is (proven is None)
        assert mails()[-1].text.strip()

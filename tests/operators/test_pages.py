"""What holds for every page of the admin: what operators can do, and what nobody can."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.core import sealed
from apps.customers.models import SigningSecret
from apps.mail.models import Message
from apps.operators.pages.customers.customer_tabs import TABS
from apps.otp import fixed_codes
from apps.otp.models import FixedCode
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair
from apps.users import lifecycle
from tests import factories
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.signing_in import operator, sign_in
from tests.otp.reading import UNMISTAKABLE, newest_code

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_may_only_look_can_only_look(client_for: MakeClient) -> None:
    viewer = operator("viewer@example.com", is_superuser=False)
    give(viewer, Permission.objects.filter(codename__startswith="view_"))
    browser = sign_in("viewer@example.com")
    customer = factories.customer()
    row, _ = factories.api_key(customer)
    session = factories.session(factories.user(customer))
    client_for(customer).request_otp("x@example.com")
    service_keys.pairs()
    actions = [f"/admin/customers/customer/{customer.id}/{name}/" for name in ("suspend", "rotate", "emergency")]
    actions += [f"/admin/api_keys/apikey/{row.id}/{name}/" for name in ("rotate", "revoke")]
    actions += [
        f"/admin/tokens/session/{session.session_id}/end/",
        f"/admin/mail/message/{Message.objects.get().id}/resend/",
    ]
    actions += [
        f"/admin/payloads/servicekeypair/{ServiceKeyPair.objects.get().id}/rotate/",
        "/admin/api_keys/apikey/add/",
    ]
    for path in actions:
        assert (path, browser.post(path).status_code) == (path, 403)
    assert browser.get(f"/admin/customers/customer/{customer.id}/change/").status_code == 200
    customer.refresh_from_db()
    assert customer.status == "active"


def test_no_page_shows_a_secret(browser: Client, client_for: MakeClient) -> None:
    """C2.4.3: nothing secret in the admin."""
    customer = factories.customer(**UNMISTAKABLE)
    client_for(customer).request_otp("ada@example.com")
    code = newest_code()
    user = factories.user(customer, "bob@example.com")
    lifecycle.change_profile(user, changes={"phone": "+4915112345678"}, context=factories.context())
    session = factories.session(user)
    fixed = fixed_codes.add(
        customer=customer,
        email="review@example.com",
        code="QWERTZ77",
        valid_until=timezone.now() + timedelta(days=1),
        context=factories.context("x"),
    )
    service_keys.pairs()
    secret = SigningSecret.objects.get(customer=customer)
    pair, message, key = ServiceKeyPair.objects.get(), Message.objects.get(), ApiKey.objects.get()
    secrets = [
        code,
        "QWERTZ77",
        "4915112345678",
        sealed.read(secret, "access_secret").decode(),
        sealed.read(secret, "refresh_secret").decode(),
        secret.access_secret,
        secret.refresh_secret,
        pair.private_jwk,
        message.content,
        fixed.code,
        bytes(key.digest).hex(),
        session.access,
    ]
    paths = [
        "/admin/",
        *(f"/admin/customers/customer/{customer.id}/{tab}/" for tab in ("change", *list(TABS)[1:])),
        f"/admin/api_keys/apikey/{key.id}/change/",
        f"/admin/users/user/{user.id}/change/",
        f"/admin/tokens/session/{session.session_id}/change/",
        f"/admin/mail/message/{message.id}/change/",
        f"/admin/payloads/servicekeypair/{pair.id}/change/",
        f"/admin/otp/fixedcode/{FixedCode.objects.get().id}/change/",
        *(f"/admin/audit/event/{event.id}/change/" for event in Event.objects.all()),
    ]
    lists = ["customers/customer", "api_keys/apikey", "users/user", "tokens/session", "mail/message", "audit/event"]
    paths += [f"/admin/{name}/" for name in [*lists, "payloads/servicekeypair", "otp/fixedcode", "auth/user"]]
    for path in paths:
        answer = browser.get(path)
        assert (path, answer.status_code) == (path, 200)
        page = answer.content.decode()
        assert not [path for value in secrets if value in page]


@pytest.mark.parametrize(
    "path",
    [
        "/admin/customers/customer/nonsense/change/",
        "/admin/customers/customer/01900000-0000-7000-8000-00000000dead/suspend/",
        "/admin/customers/customer/nonsense/suspend/",
        "/admin/users/user/?status__exact=%00",
        "/admin/users/user/?customer__id__exact=nonsense",
        "/admin/audit/event/?at__year=99999999",
        "/admin/audit/event/?q=%00",
        "/admin/nothing/here/",
    ],
)
def test_bad_addresses_are_no_server_errors(browser: Client, path: str) -> None:
    assert browser.get(path).status_code in (200, 302, 400, 404)


def test_pages_carry_a_policy_of_their_own(browser: Client) -> None:
    policy = browser.get("/admin/").headers["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "frame-ancestors 'none'" in policy
    api = Client().get("/healthz").headers["Content-Security-Policy"]
    assert "unsafe" not in api
    assert "default-src 'none'" in api

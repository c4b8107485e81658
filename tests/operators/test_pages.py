"""The operators' admin: what an operator can do, and what nobody can."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from apps.api_keys import keys
from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.core import sealed
from apps.customers.models import Customer, SigningSecret
from apps.mail.models import Message, MessageState
from apps.otp import fixed_codes
from apps.otp.models import FixedCode
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair
from apps.tokens.models import Session
from apps.users import lifecycle
from apps.users.models import User as EndUser
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery staple"
LOGIN = "/admin/login/"


def operator(name: str = "ops@example.com", **facts: object) -> User:
    return User.objects.create_user(name, name, PASSWORD, **{"is_staff": True, "is_superuser": True, **facts})  # type: ignore[arg-type]


def sign_in(name: str = "ops@example.com", password: str = PASSWORD, code: str = "", ip: str = "192.0.2.1") -> Client:
    browser = Client(REMOTE_ADDR=ip)
    browser.post(LOGIN, {"username": name, "password": password, "code": code, "next": "/admin/"})
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()


def test_an_operator_signs_in_and_that_is_recorded() -> None:
    operator()
    assert is_in(sign_in())
    assert not is_in(sign_in(password="wrong"))
    assert not is_in(Client())
    recorded = Event.objects.values_list("action", "actor", "severity")
    assert ("operator_signed_in", "operator:ops@example.com", "info") in recorded
    assert ("operator_sign_in_failed", "operator:ops@example.com", "medium") in recorded


@pytest.mark.parametrize(("asked", "shown"), [("", "/admin/"), ("?next=/admin/users/user/", "/admin/users/user/")])
def test_signing_in_leads_to_the_page_that_was_asked_for_or_to_the_overview(asked: str, shown: str) -> None:
    operator()
    browser = Client()
    page = browser.get(LOGIN + asked)
    hidden = re.search(r'name="next" value="([^"]*)"', page.content.decode())
    assert hidden
    form = {"username": "ops@example.com", "password": PASSWORD, "code": "", "next": hidden[1]}
    assert browser.post(LOGIN + asked, form).headers["Location"] == shown


def test_signing_in_leads_to_no_other_site() -> None:
    operator()
    form = {"username": "ops@example.com", "password": PASSWORD, "code": "", "next": "https://evil.example/"}
    assert "evil" not in Client().post(LOGIN, form).headers["Location"]


def test_an_end_user_is_no_operator(browser: Client) -> None:
    factories.user(factories.customer(), "ada@example.com", role="admin")
    assert not is_in(sign_in("ada@example.com"))


def test_where_it_is_required_an_operator_without_it_sees_nothing_but_enrolment(settings: object) -> None:
    settings.OPERATOR_SECOND_FACTOR_REQUIRED = True  # type: ignore[attr-defined]
    operator()
    browser = sign_in()
    assert not is_in(browser)
    assert browser.get("/admin/customers/customer/").status_code == 302
    assert browser.get(LOGIN).headers["Location"] == "/admin/second-factor/"
    assert browser.get("/admin/second-factor/").status_code == 200
    assert Client().get("/admin/second-factor/").status_code == 302


def test_a_customer_is_made_with_secrets_and_changed_at_once(browser: Client, client_for: MakeClient) -> None:
    page = browser.get("/admin/customers/customer/add/")
    assert page.status_code == 200
    form = customer_form(name="Shop", slug="shop")
    assert browser.post("/admin/customers/customer/add/", form).status_code == 302
    shop = Customer.objects.get(slug="shop")
    assert shop.signing_secrets.count() == 1
    client = client_for(shop)
    assert client.request_otp("ada@example.com").document["expires_in"] == 600
    path = f"/admin/customers/customer/{shop.id}/change/"
    form = customer_form(name="Shop", code_lifetime=120, networks=["203.0.113.0/24"])
    assert browser.post(path, form).status_code == 302
    assert client.request_otp("bob@example.com").error_type == "ip_not_allowed"
    actions = Event.objects.filter(customer_id=shop.id, actor="operator:ops@example.com")
    assert {"customer_created", "policy_changed"} <= set(actions.values_list("action", flat=True))


def customer_form(**values: object) -> dict[str, object]:
    networks = values.pop("networks", [])
    form: dict[str, object] = {
        "algorithm": "HS256",
        "access_lifetime": 25_200,
        "refresh_lifetime": 604_800,
        "refresh_grace": 10,
        "reauthenticate_after": 600,
        "code_length": 6,
        "code_alphabet": "digits",
        "code_lifetime": 600,
        "code_resend_after": 30,
        "creates_users_on_sign_in": "on",
        "allows_registration": "on",
        "demands_verified_email": "on",
        "second_factor": "optional",
        "sessions_per_user": 20,
        "daily_sms_quota": 500,
        "monthly_sms_quota": 5_000,
        "sms_regions": "[]",
        "daily_code_quota": 10,
        "monthly_code_quota": 100,
        "allowed_origins": "[]",
        "default_locale": "en",
        "allowed_networks-TOTAL_FORMS": len(networks),  # type: ignore[arg-type]
        "allowed_networks-INITIAL_FORMS": 0,
        "limit_overrides-TOTAL_FORMS": 0,
        "limit_overrides-INITIAL_FORMS": 0,
        **values,
    }
    for number, network in enumerate(networks):  # type: ignore[arg-type, var-annotated]
        form[f"allowed_networks-{number}-network"] = network
    return form


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_lifetime": 1},
        {"allowed_origins": '["http://evil.example"]'},
        {"allowed_origins": "{"},
        {"colour": "red"},
        {"networks": ["192.0.2.1/24"]},
        {"networks": ["nonsense"]},
    ],
)
def test_a_bad_policy_is_refused_whole(browser: Client, wrong: dict[str, object]) -> None:
    customer = factories.customer(name="Before")
    answer = browser.post(f"/admin/customers/customer/{customer.id}/change/", customer_form(name="After", **wrong))
    assert answer.status_code == 200  # the form again, with its faults
    customer.refresh_from_db()
    assert customer.name == "Before"


def test_dangerous_actions_ask_first_and_are_recorded(browser: Client, client_for: MakeClient) -> None:
    one, other = factories.customer(), factories.customer()
    token = factories.session(factories.user(one)).access
    path, client = f"/admin/customers/customer/{one.id}", client_for(None)

    def act(name: str) -> None:
        assert browser.get(f"{path}/{name}/").status_code == 200  # asks; changes nothing
        assert client.get("/api/auth/me", token=token).status == before
        assert browser.post(f"{path}/{name}/").status_code == 302

    before = 200
    act("suspend")
    assert client.get("/api/auth/me", token=token).error_type == "customer_suspended"
    before = 403
    act("reactivate")
    before = 200
    act("rotate")
    assert client.get("/api/auth/me", token=token).status == 200
    act("emergency")
    assert client.get("/api/auth/me", token=token).status == 401
    assert one.signing_secrets.count() == 3
    assert other.signing_secrets.count() == 1
    recorded = Event.objects.filter(actor="operator:ops@example.com", customer_id=one.id)
    assert {"customer_suspended", "customer_reactivated", "secrets_rotated"} <= set(
        recorded.values_list("action", flat=True)
    )


def test_a_key_is_made_and_shown_once(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    form = {"customer": customer.id, "name": "Web", "environment": "live", "scopes": ["auth"]}
    answer = browser.post("/admin/api_keys/apikey/add/", form)
    found = re.search(r"ghk_live_\w{62}", answer.content.decode())
    assert found
    assert keys.parse(found[0])
    assert "no-store" in answer.headers["Cache-Control"]
    assert client_for(None, headers={"X-OTP-API-Key": found[0]}).request_otp("a@example.com").status == 200
    row = ApiKey.objects.get()
    for path in ("/admin/api_keys/apikey/", f"/admin/api_keys/apikey/{row.id}/change/", "/admin/audit/event/"):
        assert found[0] not in browser.get(path).content.decode()
    assert Event.objects.filter(action="api_key_created", actor="operator:ops@example.com").count() == 1


def test_a_key_is_rotated_and_revoked(browser: Client, client_for: MakeClient) -> None:
    row, old = factories.api_key(factories.customer())
    path = f"/admin/api_keys/apikey/{row.id}"
    assert browser.get(f"{path}/rotate/").status_code == 200
    page = browser.post(f"{path}/rotate/", {"hours": 1}).content.decode()
    new = re.search(r"ghk_live_\w{62}", page)
    assert new
    for text in (old, new[0]):
        assert client_for(None, headers={"X-OTP-API-Key": text}).verify_otp("a@example.com", "123456").status == 400
    browser.post(f"{path}/revoke/")
    assert client_for(None, headers={"X-OTP-API-Key": old}).request_otp("a@example.com").error_type == "invalid_api_key"
    assert browser.post(f"{path}/rotate/", {"hours": -1}).status_code == 200  # the form again


def test_users_are_changed_at_once(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer(), wrong_codes=7)
    factories.permission(user.customer, "invoices.read")
    token, client = factories.session(user).access, client_for(None)
    path = f"/admin/users/user/{user.id}"
    form = {"name": "Ada", "locale": "de", "role": "admin", "permissions": ["invoices.read"]}
    assert browser.post(f"{path}/change/", form).status_code == 302
    me = client.get("/api/auth/me", token=token).document
    assert (me["role"], me["permissions"]) == ("admin", ["invoices.read"])
    browser.post(f"{path}/clear-wrong-codes/")
    assert EndUser.objects.get().wrong_codes == 0
    assert browser.post(f"{path}/change/", {**form, "permissions": ["unheard.of"]}).status_code == 200


def test_a_user_is_added_once_per_customer(browser: Client) -> None:
    one, other = factories.customer(), factories.customer()
    form = {"email": "Ada@example.com", "role": "company_user", "status": "active"}
    for customer in (one, other):
        assert browser.post("/admin/users/user/add/", {**form, "customer": customer.id}).status_code == 302
    assert browser.post("/admin/users/user/add/", {**form, "customer": one.id}).status_code == 200
    assert browser.post("/admin/users/user/add/", {**form, "customer": one.id, "email": "nonsense"}).status_code == 200
    assert EndUser.objects.count() == 2


def test_sessions_are_ended(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    one, two = factories.session(user), factories.session(user)
    assert browser.get(f"/admin/tokens/session/{one.session_id}/end/").status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 2
    browser.post(f"/admin/tokens/session/{one.session_id}/end/")
    selection = {"action": "end_selected", "_selected_action": [str(two.session_id)]}
    asked = browser.post("/admin/tokens/session/", selection).content.decode()
    assert "End 1 session(s)?" in asked
    assert str(two.session_id) in asked
    assert Session.objects.filter(ended_at=None).count() == 1
    browser.post("/admin/tokens/session/", {**selection, "confirmed": "yes"})
    for pair in (one, two):
        assert client_for(None).get("/api/auth/me", token=pair.access).error_type == "session_ended"


def test_a_mail_is_sent_again_while_its_content_is_kept(browser: Client, client_for: MakeClient) -> None:
    client_for(factories.customer()).request_otp("ada@example.com")
    message = Message.objects.get()
    Message.objects.update(state=MessageState.FAILED)
    path = f"/admin/mail/message/{message.id}"
    browser.post(f"{path}/resend/")
    assert Message.objects.get().state == MessageState.QUEUED
    Message.objects.update(state=MessageState.SENT, content="")
    page = browser.post(f"{path}/resend/", follow=True)
    assert "no longer kept" in page.content.decode()
    assert Message.objects.get().state == MessageState.SENT


def test_audit_events_cannot_be_changed_by_anybody(browser: Client) -> None:
    factories.customer()
    event = Event.objects.all()[0]
    assert browser.get(f"/admin/audit/event/{event.id}/change/").status_code == 200
    assert browser.post(f"/admin/audit/event/{event.id}/change/", {"action": "x"}).status_code == 403
    assert browser.post(f"/admin/audit/event/{event.id}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get("/admin/audit/event/add/").status_code == 403


def test_who_may_only_look_can_only_look(client_for: MakeClient) -> None:
    viewer = operator("viewer@example.com", is_superuser=False)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
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
    customer = factories.customer()
    client_for(customer).request_otp("ada@example.com")
    code = newest_code()
    user = factories.user(customer, "bob@example.com")
    lifecycle.change_profile(user, changes={"phone": "+4915112345678"}, caller=None, now=timezone.now())
    session = factories.session(user)
    fixed = fixed_codes.add(
        customer=customer,
        email="review@example.com",
        code="QWERTZ77",
        valid_until=timezone.now() + timedelta(days=1),
        actor="x",
        caller=None,
        now=timezone.now(),
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
        f"/admin/customers/customer/{customer.id}/change/",
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

"""Signing in by password, as a client does it, and as a stranger tries it."""

from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.utils import timezone

from apps.audit.models import Event
from apps.customers import lifecycle as customers
from apps.signin import passwords
from apps.signin.models import Password
from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_right_password_signs_in(client_for: MakeClient) -> None:
    """C4 login: token answer."""
    customer = factories.customer()
    user = member(customer)
    client = client_for(customer)
    answer = login(client)
    assert answer.status == 200, answer.document
    assert answer.document["user"]["id"] == str(user.id)
    assert answer.document["user"]["is_new"] is False
    assert client.get("/api/auth/me", token=answer.document["access_token"]).document["email"] == EMAIL
    event = Event.objects.get(action="sign_in")
    assert event.details == {"method": "password", "second_factors": []}


def test_by_cookie_the_tokens_are_not_in_the_body(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    answer = login(client_for(customer), delivery="cookie")
    assert answer.status == 200
    assert "access_token" not in answer.document
    assert "__Host-gatehouse_access" in answer.headers["set-cookie"]


def test_case_and_form_of_the_address_do_not_matter_but_those_of_the_password_do(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    assert login(client, email="ADA@Example.COM").status == 200
    assert login(client, PASSWORD.upper()).status == 401
    assert login(client, f" {PASSWORD}").status == 401


def test_a_password_of_another_customers_user_is_worthless(client_for: MakeClient) -> None:
    """C1.5: the same email under two customers is two users."""
    one, other = factories.customer(), factories.customer()
    member(one)
    member(other, password="quite another secret phrase")
    assert login(client_for(other)).status == 401
    assert login(client_for(one)).status == 200


@pytest.mark.parametrize("case", ["unknown", "wrong", "no password", "locked", "deactivated", "unproven registration"])
def test_every_failure_is_the_same_answer(client_for: MakeClient, case: str) -> None:
    """C4: the answer stays 401 invalid_credentials."""
    customer = factories.customer()
    password = PASSWORD
    if case == "wrong":
        member(customer)
        password = "wrong horse"
    elif case == "no password":
        factories.user(customer, EMAIL)
    elif case == "locked":
        user = member(customer)
        Password.objects.filter(user=user).update(locked_until=timezone.now() + timedelta(minutes=1))
    elif case == "deactivated":
        member(customer, status="deactivated")
    elif case == "unproven registration":
        client_for(customer).before_sign_in("/api/auth/register", {"email": EMAIL, "password": PASSWORD})
    answer = login(client_for(customer), password)
    assert (answer.status, answer.error_type) == (401, "invalid_credentials")
    assert answer.document["error"]["message"] == "Email address or password is wrong."
    assert answer.headers["www-authenticate"] == "Bearer"


def test_five_wrong_passwords_lock_for_half_an_hour(client_for: MakeClient) -> None:
    """C4: five wrong passwords lock that account's password sign-in for 30 minutes."""
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    for _ in range(4):
        assert login(client, "wrong horse").status == 401
    assert login(client).status == 200, "four wrong ones do not lock, and a right one breaks the row"
    for _ in range(5):
        assert login(client, "wrong horse").status == 401
    assert login(client).status == 401
    locked_until = Password.objects.get(user=user).locked_until
    assert locked_until is not None
    assert timedelta(minutes=29) < locked_until - timezone.now() <= timedelta(minutes=30)
    assert Event.objects.filter(action="password_locked", user_id=user.id).count() == 1
    Password.objects.filter(user=user).update(locked_until=timezone.now() - timedelta(seconds=1))
    assert login(client).status == 200, "and opens by itself"


def test_wrong_tries_while_locked_do_not_prolong_the_lock(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    until = timezone.now() + timedelta(minutes=3)
    Password.objects.filter(user=user).update(locked_until=until)
    for _ in range(7):
        assert login(client_for(customer), "wrong horse").status == 401
    password = Password.objects.get(user=user)
    assert (password.locked_until, password.wrong_in_a_row) == (until, 0)


def test_a_lock_leaves_sessions_passkeys_and_codes_alone(client_for: MakeClient) -> None:
    """C4: so that a stranger cannot lock somebody out."""
    customer = generous()
    user = member(customer)
    session = factories.session(user)
    client, device = client_for(customer), Authenticator()
    assert enrol_passkey(client, session.access, device).status == 201
    for _ in range(5):
        login(client, "wrong horse")
    assert Password.objects.get().locked_until is not None
    assert client.get("/api/auth/me", token=session.access).status == 200
    options = client.before_sign_in("/api/auth/passkey/options", {}).document
    document = {"credential": device.get(options)}
    assert client.before_sign_in("/api/auth/passkey/verify", document).status == 200
    assert login(client).status == 401, "the password is locked all the while"
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, newest_code()).document["session_token"]
    credential = device.get(send(client, token, "passkey").document)
    assert second(client, token, "passkey", credential=credential).status == 200


def test_tries_are_limited_before_any_password_is_checked(client_for: MakeClient) -> None:
    """C6: 5 in 15 min per customer + email + IP; codes and passwords share the count."""
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    for _ in range(3):
        login(client, "wrong horse")
    for _ in range(2):
        client.verify_otp(EMAIL, "000000")
    answer = login(client)
    assert (answer.status, answer.error_type) == (429, "rate_limited")
    assert answer.document["error"]["limit"] == "tries_per_email_and_ip"


def test_a_suspended_customer_answers_so(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    customers.suspend(customer, context=factories.context("system"))
    assert (login(client).status, login(client).error_type) == (403, "customer_suspended")


# Hashes that other systems made, of PASSWORD.
IMPORTED = {
    "pbkdf2": hashers.PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsalt", iterations=1000),
    "bcrypt": hashers.BCryptPasswordHasher().encode(PASSWORD, b"$2b$04$" + b"abcdefghijklmnopqrstuu"),
}


@pytest.mark.parametrize("kind", sorted(IMPORTED))
def test_an_imported_hash_is_upgraded_at_the_next_sign_in(client_for: MakeClient, kind: str) -> None:
    customer = factories.customer()
    user = factories.user(customer, EMAIL, email_verified_at=timezone.now())
    passwords.put(user, IMPORTED[kind], by_mail=False, now=timezone.now())
    client = client_for(customer)
    assert login(client, "wrong horse").status == 401
    assert Password.objects.get(user=user).encoded == IMPORTED[kind]
    assert login(client).status == 200
    assert Password.objects.get(user=user).encoded.startswith("argon2$argon2id$")
    assert login(client).status == 200


@pytest.mark.usefixtures("real_costs")
def test_passwords_are_kept_as_argon2id() -> None:
    encoded = passwords.encode(PASSWORD)
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.encode(PASSWORD) != encoded
    assert not passwords.is_outdated(encoded)


def test_a_password_is_not_in_a_repr() -> None:
    """C2.4."""
    customer = factories.customer()
    user = member(customer)
    row = Password.objects.get(user=user)
    assert row.encoded not in repr(row)
    assert row.encoded not in str(row)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": EMAIL}, "password"),
        ({"email": "ada", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": ["a"]}, "password"),
        ({"email": EMAIL, "password": "x" * 1025}, "password"),
        ({"email": EMAIL, "password": "x\0y"}, "password"),
        ({"email": EMAIL, "password": PASSWORD, "delivery": "pigeon"}, "delivery"),
    ],
)
def test_bad_input_names_the_field(client_for: MakeClient, document: dict[str, object], field: str) -> None:
    answer = client_for(factories.customer()).before_sign_in("/api/auth/login", document)
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, [field])


def test_a_number_is_no_password(client_for: MakeClient) -> None:
    document = {"email": EMAIL, "password": 7.5e300}
    answer = client_for(factories.customer()).before_sign_in("/api/auth/login", document)
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, ["password"])

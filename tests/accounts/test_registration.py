"""Registering at a customer, and proving the address; what a stranger may not do with another's address."""

import pytest

from apps.accounts.models import Registration
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.accounts.registering import quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import UNMISTAKABLE, newest_code, wrong_code
from tests.signin.entering import EMAIL, PASSWORD, login

pytestmark = pytest.mark.django_db(transaction=True)


def test_registering_proving_and_signing_in(client_for: MakeClient) -> None:
    """C4 register: 202, status pending until what the customer demands is done."""
    customer = factories.customer()
    client = client_for(customer)
    answer = register(client, name="Ada Lovelace", phone="+49 1511 2345678", locale="de")
    assert answer.status == 202
    assert answer.document["user"] == {"email": EMAIL, "name": "Ada Lovelace", "status": "pending"}
    assert (answer.document["expires_in"], answer.document["resend_in"]) == (600, 30)
    assert Message.objects.get().kind == "verify_email_code"
    assert login(client).status == 401, "nobody has proven the address yet"
    verified = verify(client, newest_code())
    assert (verified.status, verified.document["user"]["status"]) == (200, "active")
    tokens = login(client)
    assert tokens.status == 200
    me = client.get("/api/auth/me", token=tokens.document["access_token"]).document
    assert (me["name"], me["phone"], me["locale"]) == ("Ada Lovelace", "+4915112345678", "de")
    assert (me["email_verified"], me["status"], me["role"]) == (True, "active", "company_user")


def test_a_code_is_good_once_and_for_nothing_else(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    register(client)
    code = newest_code()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert verify(client, wrong_code(code)).error_type == "invalid_otp"
    assert verify(client, code).status == 200
    assert verify(client, code).error_type == "invalid_otp"


def test_a_code_of_another_customer_is_worthless(client_for: MakeClient) -> None:
    """C1.5."""
    one, other = factories.customer(), factories.customer()
    register(client_for(one))
    code = newest_code()
    register(client_for(other))
    assert verify(client_for(other), code).error_type == "invalid_otp"
    assert verify(client_for(one), code).status == 200


def test_who_waits_for_approval_is_pending_but_signs_in(client_for: MakeClient) -> None:
    customer = factories.customer(demands_approval=True)
    client = client_for(customer)
    register(client)
    assert verify(client, newest_code()).document["user"]["status"] == "pending"
    assert login(client).document["user"]["status"] == "pending"
    assert IdentityCheck.objects.get().state == "waiting"


def test_where_nothing_is_demanded_a_new_user_is_active_at_once(client_for: MakeClient) -> None:
    """C4: the customer demands no proven address and no approval."""
    client = client_for(factories.customer(demands_verified_email=False))
    assert register(client).document["user"]["status"] == "active"
    session = login(client)
    assert session.document["user"]["status"] == "active"
    assert verify(client, newest_code()).status == 200
    assert client.get("/api/auth/me", token=session.document["access_token"]).status == 200, "the same person"


def test_a_spent_quota_refuses_and_leaves_nothing_behind(client_for: MakeClient) -> None:
    """C6: an exhausted quota stops sending; nothing half-done."""
    client = client_for(quick(daily_code_quota=1))
    register(client, email="first@example.com")
    refused = register(client)
    assert (refused.status, refused.error_type) == (429, "quota_exceeded")
    assert User.objects.count() == 1
    assert Registration.objects.count() == 1


def test_who_is_erased_while_somebody_registers_its_address_makes_room(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the statement that finds the address taken and the one that reads its user."""
    customer = quick()
    old = factories.user(customer, EMAIL)
    insert = User.objects.bulk_create

    def interrupted(rows: list[User], **options: object) -> object:
        made = insert(rows, **options)
        monkeypatch.setattr(User.objects, "bulk_create", insert)
        User.objects.all().delete()
        return made

    monkeypatch.setattr(User.objects, "bulk_create", interrupted)
    assert register(client_for(customer)).status == 202
    assert User.objects.get().id != old.id


def test_registration_can_be_closed(client_for: MakeClient) -> None:
    client = client_for(factories.customer(allows_registration=False))
    assert (register(client).status, register(client).error_type) == (403, "registration_closed")
    assert not User.objects.exists()


# --- Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "short", "x" * 129, "password", "12345678", EMAIL, EMAIL.upper()])
def test_passwords_that_are_not_accepted(client_for: MakeClient, password: str) -> None:
    """C4: 8 to 128 characters, not a common one, not the email."""
    client = client_for(factories.customer())
    answer = register(client, password)
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, ["password"])
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["x7!fgh2k", "correct horse", "пароль-длинный", "        9z", "🦊" * 8])
def test_no_composition_rules(client_for: MakeClient, password: str) -> None:
    client = client_for(factories.customer())
    assert register(client, password).status == 202
    verify(client, newest_code())
    assert login(client, password).status == 200


def test_one_password_however_a_keyboard_writes_it(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    register(client, "caf\u00e9 au lait")
    verify(client, newest_code())
    assert login(client, "cafe\u0301 au lait").status == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"phone": "0151 2345"}, "phone"),
        ({"name": "x" * 201}, "name"),
        ({"locale": 7 * "long"}, "locale"),
    ],
)
def test_a_wrong_field_is_named(client_for: MakeClient, fields: dict[str, str], field: str) -> None:
    answer = register(client_for(factories.customer()), **fields)  # type: ignore[arg-type]
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, [field])


def test_nothing_secret_is_in_the_events(client_for: MakeClient) -> None:
    client = client_for(factories.customer(**UNMISTAKABLE))
    register(client)
    code = newest_code()
    verify(client, code)
    told = str(list(Event.objects.values()))
    assert PASSWORD not in told
    assert code not in told
    assert Session.objects.count() == 0


def test_verifying_tells_whether_the_registered_password_counts(client_for: MakeClient) -> None:
    """C4 verify-email: a client knows whether to offer sign-in by password, or to have one set."""
    customer = quick()
    client, elsewhere = client_for(customer), client_for(customer, ip="203.0.113.9")
    register(client)
    assert verify(client, newest_code()).document["password_set"] is True
    for one in (client, elsewhere):
        register(one, email="bob@example.com")
    assert verify(client, newest_code(), "bob@example.com").document["password_set"] is False
    factories.user(customer, "eve@example.com")
    client.request_otp("eve@example.com", purpose="verify_email")
    late = newest_code()
    client.request_otp("eve@example.com")
    assert client.verify_otp("eve@example.com", newest_code()).status == 200
    assert verify(client, late, "eve@example.com").error_type == "invalid_otp", "void since another code proved it"
    client.request_otp("eve@example.com", purpose="verify_email")
    assert verify(client, newest_code(), "eve@example.com").document["password_set"] is False, "proven already"

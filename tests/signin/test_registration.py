"""Registering at a customer, and proving the address; what a stranger may not do with somebody else's."""

import pytest

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.mail.models import Message, MessageState
from apps.signin.models import IdentityCheck, Password, Registration
from apps.tokens.models import Session
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import code_of, newest_code, wrong_code
from tests.races import at_once
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, login, member
from tests.signin.observing import Observed, observed

pytestmark = pytest.mark.django_db(transaction=True)
STRANGERS = "the password of a stranger"


def register(client: Client, password: str = PASSWORD, email: str = EMAIL, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/register", {"email": email, "password": password, **fields})


def verify(client: Client, otp: str, email: str = EMAIL, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/verify-email", {"email": email, "otp": otp, **fields})


def quick(**policy: object) -> Customer:
    return generous(code_resend_after=0, **policy)


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
    """C4: ... or neither."""
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


def test_registration_can_be_closed(client_for: MakeClient) -> None:
    client = client_for(factories.customer(allows_registration=False))
    assert (register(client).status, register(client).error_type) == (403, "registration_closed")
    assert not User.objects.exists()


# --- Attacks: somebody else's address -------------------------------------------------------------------------------


def test_a_stranger_sets_no_password_on_an_address_that_is_proven_by_signing_in_by_code(client_for: MakeClient) -> None:
    """Pre-hijacking: register a victim's address, wait for the victim."""
    client = client_for(quick())
    register(client, STRANGERS)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    assert login(client, STRANGERS).status == 401


def test_of_two_who_register_one_address_the_owner_of_the_mailbox_gets_it(client_for: MakeClient) -> None:
    customer = quick()
    client, stranger = client_for(customer), client_for(customer, ip="198.51.100.66")
    register(stranger, STRANGERS, name="Eve")
    register(client, PASSWORD, name="Ada")
    register(stranger, STRANGERS, name="Eve")
    mine = code_of(Message.objects.order_by("id")[1])
    assert verify(client, mine, password=PASSWORD).status == 200
    assert login(client, STRANGERS).status == 401
    assert login(client).document["user"]["name"] == "Ada"


@pytest.mark.parametrize("given", ["", PASSWORD])
def test_entering_the_code_of_a_stranger_who_registered_in_between_sets_no_password(
    client_for: MakeClient, given: str
) -> None:
    """Two code mails lie in the owner's mailbox, and the newer one is the stranger's."""
    customer = quick()
    client, stranger = client_for(customer), client_for(customer, ip="198.51.100.66")
    register(client, PASSWORD)
    register(stranger, STRANGERS)
    assert verify(client, newest_code(), password=given).status == 200
    assert login(stranger, STRANGERS).status == 401
    assert not Password.objects.exists()


def test_who_registers_twice_has_the_password_of_the_code_that_came_back(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client, "the first try at one")
    register(client, PASSWORD)
    assert verify(client, newest_code()).status == 200
    assert login(client).status == 200


def test_a_code_asked_for_again_does_not_choose_between_two_registrations(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client, PASSWORD)
    register(client, STRANGERS)
    client.request_otp(EMAIL, purpose="verify_email")
    assert verify(client, newest_code()).status == 200
    assert login(client, STRANGERS).status == 401
    assert not Password.objects.exists()


def test_a_code_asked_for_again_stands_for_the_only_registration(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client)
    client.request_otp(EMAIL, purpose="verify_email")
    assert verify(client, newest_code()).status == 200
    assert login(client).status == 200


def test_a_code_asked_for_again_confirms_no_stranger_beside_an_imported_user(client_for: MakeClient) -> None:
    """The stranger's is the only registration, but it is not what made the user."""
    customer = quick()
    factories.user(customer, EMAIL)
    client = client_for(customer)
    register(client, STRANGERS, name="Eve")
    client.request_otp(EMAIL, purpose="verify_email")
    verified = verify(client, newest_code())
    assert (verified.status, verified.document["user"]["name"]) == (200, "")
    assert login(client, STRANGERS).status == 401


def test_after_too_many_wrong_codes_none_is_sent_and_none_opens(client_for: MakeClient) -> None:
    """C6: 100 wrong codes in a row, then no codes until somebody clears it."""
    client = client_for(quick())
    register(client)
    code = newest_code()
    User.objects.update(wrong_codes=100)
    assert verify(client, code).error_type == "invalid_otp"
    assert register(client).status == 202
    assert Message.objects.order_by("-id")[0].state == MessageState.SUPPRESSED
    assert User.objects.get().email_verified_at is None


def test_what_a_stranger_set_before_the_proof_is_gone_after_it(client_for: MakeClient) -> None:
    """Password, second factor and session alike, where a customer lets users in without proof."""
    client = client_for(quick(demands_verified_email=False))
    register(client, STRANGERS)
    stolen = login(client, STRANGERS).document["access_token"]
    enrol_app(User.objects.get())
    register(client, PASSWORD)
    assert login(client, PASSWORD).status == 401, "the address is taken, and not proven to be ours"
    assert verify(client, newest_code()).status == 200
    assert client.get("/api/auth/me", token=stolen).error_type == "session_ended"
    assert login(client, STRANGERS).status == 401
    assert login(client, PASSWORD).document["user"]["email"] == EMAIL


def test_registering_a_taken_address_changes_nothing_and_tells_its_owner(client_for: MakeClient) -> None:
    client = client_for(quick())
    user = member(Customer.objects.exclude(slug="default").get(), name="Ada")
    answer = register(client, STRANGERS, name="Eve")
    assert answer.status == 202
    message = Message.objects.get()
    assert (message.kind, message.recipient, message.state) == ("already_registered", EMAIL, MessageState.QUEUED)
    user.refresh_from_db()
    assert user.name == "Ada"
    assert login(client, STRANGERS).status == 401
    assert login(client).status == 200


def test_a_look_alike_address_does_not_take_an_account(client_for: MakeClient) -> None:
    """ "ß" and "ss" compare equal, but are two mailboxes."""
    client = client_for(quick())
    register(client, STRANGERS, email="strasse@example.com")
    assert verify(client, newest_code(), "strasse@example.com").status == 200
    register(client, PASSWORD, email="straße@example.com")
    assert Message.objects.order_by("-id")[0].recipient == "strasse@example.com"


def test_a_deactivated_user_stays_out(client_for: MakeClient) -> None:
    customer = quick()
    factories.user(customer, EMAIL, status="deactivated")
    client = client_for(customer)
    assert register(client).status == 202
    assert Message.objects.get().state == MessageState.SUPPRESSED
    assert login(client).status == 401


# --- The same for everybody -----------------------------------------------------------------------------------------


def nobody(customer: Customer) -> None:
    pass


def proven(customer: Customer) -> None:
    member(customer)


def unproven(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending")


def with_an_app(customer: Customer) -> None:
    enrol_app(member(customer))


def deactivated(customer: Customer) -> None:
    member(customer, status="deactivated")


def closed_to_codes(customer: Customer) -> None:
    factories.user(customer, EMAIL, status="pending", wrong_codes=100)


def observe(client_for: MakeClient, prepare: object, **policy: object) -> Observed:
    customer = quick(**policy)
    client = client_for(customer)
    register(client, email="warm@example.com")
    prepare(customer)  # type: ignore[operator]
    register(client, email="warm2@example.com")
    with observed() as seen:
        answer = register(client)
    seen.note(answer)
    return seen


@pytest.mark.parametrize("case", [proven, unproven, with_an_app, deactivated, closed_to_codes])
@pytest.mark.parametrize("demands", [True, False])
def test_the_answer_and_the_work_tell_nothing(client_for: MakeClient, case: object, demands: bool) -> None:
    """Issue, "Must show": the same bytes, Argon2 hashes, statements and round trips."""
    policy = {"demands_verified_email": demands}
    assert observe(client_for, case, **policy) == observe(client_for, nobody, **policy)


def test_it_costs_one_argon2_and_five_statements(client_for: MakeClient) -> None:
    seen = observe(client_for, nobody)
    # The user, made if new, and read; the registration; the event; the mail.
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (1, 5, 1)


def test_many_at_once_make_one_user(client_for: MakeClient) -> None:
    customer = quick()
    for name in ("codes_per_email", "codes_per_ip", "codes_per_customer"):
        factories.limit(customer, name, 1_000_000)
    client = client_for(customer)
    assert set(at_once(20, lambda _: register(client).status)) == {202}
    assert User.objects.count() == 1
    assert Registration.objects.count() == 20


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
    client = client_for(factories.customer())
    register(client)
    code = newest_code()
    verify(client, code)
    told = str(list(Event.objects.values()))
    assert PASSWORD not in told
    assert code not in told
    assert Session.objects.count() == 0

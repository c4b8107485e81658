"""Signing up a new customer: created completely or not at all."""

import pytest

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, SigningSecret
from apps.mail.models import Message
from apps.tokens.models import Session
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.otp.test_sandbox_codes import code_in, sandbox
from tests.races import at_once
from tests.signin.entering import EMAIL, PASSWORD, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def sign_up(client: Client, email: str = EMAIL, password: str = PASSWORD, **fields: object) -> Answer:
    return client.before_sign_in("/api/auth/signup", {"email": email, "password": password, **fields})


def test_signing_up_makes_a_customer_its_secrets_its_owner_its_key_and_a_session(client_for: MakeClient) -> None:
    """C4 signup: 201."""
    answer = sign_up(client_for(None), organization="Analytical Engines, Ltd.")
    assert answer.status == 201, answer.document
    made = answer.document
    customer = Customer.objects.get(id=made["customer"]["id"])
    assert customer.name == "Analytical Engines, Ltd."
    assert customer.slug.startswith("analytical-engines-ltd-")
    assert SigningSecret.objects.filter(customer=customer).count() == 1
    assert made["user"]["role"] == "admin"
    assert made["user"]["customer_id"] == str(customer.id)
    assert made["user"]["is_new"] is True
    key = ApiKey.objects.get(customer=customer)
    assert made["api_key"].startswith(f"ghk_live_{key.key_id}_")
    theirs = client_for(None, headers={"X-OTP-API-Key": made["api_key"]})
    me = theirs.get("/api/auth/me", token=made["access_token"])
    assert (me.status, me.document["email"], me.document["email_verified"]) == (200, EMAIL, False)
    verified = theirs.before_sign_in("/api/auth/verify-email", {"email": EMAIL, "otp": newest_code()})
    assert verified.status == 200
    me = theirs.get("/api/auth/me", token=made["access_token"])
    assert (me.status, me.document["email_verified"]) == (200, True), "the session goes on"
    assert login(theirs).status == 200
    assert login(client_for(None)).document["user"]["customer_id"] == str(customer.id)


def test_signing_up_is_a_sign_in(client_for: MakeClient) -> None:
    """C8: so it is an event, and the owner's last sign-in."""
    sign_up(client_for(None))
    owner = User.objects.get()
    assert owner.last_sign_in_at is not None
    assert Event.objects.get(action="sign_in").user_id == owner.id


def test_whoever_signs_up_with_a_test_key_reads_no_code_and_so_proves_nobodys_address(client_for: MakeClient) -> None:
    """Else the owner of a test key could prove any address, and divert that user's sign-ins without a key."""
    member(Customer.objects.get(id=DEFAULT_CUSTOMER_ID))
    test = sandbox(client_for, factories.customer())
    assert sign_up(test, password="the password of a stranger").status == 201
    assert code_in(test) is None
    assert not Message.objects.exclude(content="").exists(), "nobody is sent any"
    assert login(client_for(None)).document["user"]["customer_id"] == str(DEFAULT_CUSTOMER_ID)


def test_the_session_of_who_signs_up_with_a_test_key_is_one_of_its_own_customer(client_for: MakeClient) -> None:
    """The key is another customer's: its holder reads nothing of what this session has sent."""
    test = sandbox(client_for, factories.customer(code_resend_after=0))
    made = sign_up(test).document
    session = Session.objects.get()
    assert (str(session.customer_id), session.sandbox_key_id) == (made["customer"]["id"], "")
    document = {"email": "new@example.com", "password": PASSWORD}
    asked = client_for(None).post("/api/auth/change-email", document, token=made["access_token"])
    assert asked.status == 202
    assert code_in(test) is None
    assert Message.objects.order_by("-id")[0].state == "queued"


def test_the_key_is_shown_once_and_kept_nowhere(client_for: MakeClient) -> None:
    made = sign_up(client_for(None)).document
    secret = made["api_key"].rpartition("_")[2]
    assert secret not in str(list(ApiKey.objects.values()))
    assert secret not in str(list(Event.objects.values()))


def test_it_can_be_closed(client_for: MakeClient, settings: object) -> None:
    """C4: ALLOW_CUSTOMER_SIGNUP=false → 403 signup_closed."""
    settings.ALLOW_CUSTOMER_SIGNUP = False  # type: ignore[attr-defined]
    answer = sign_up(client_for(None))
    assert (answer.status, answer.error_type) == (403, "signup_closed")
    assert Customer.objects.count() == 1


def test_two_organizations_of_one_name_are_two_customers(client_for: MakeClient) -> None:
    client = client_for(None)
    slugs = {
        sign_up(client, f"u{number}@example.com", organization="Same").document["customer"]["slug"]
        for number in range(3)
    }
    assert len(slugs) == 3


def test_an_address_that_owns_a_customer_already_gets_the_same_answer_and_nothing_of_it(client_for: MakeClient) -> None:
    """C5: nothing tells whether an email has an account."""
    mine = factories.customer()
    member(mine, is_owner=True)
    answer = sign_up(client_for(None), password="the password of a stranger")
    assert answer.status == 201
    assert answer.document["customer"]["id"] != str(mine.id)
    assert login(client_for(None)).document["user"]["customer_id"] == str(mine.id)
    assert login(client_for(None), "the password of a stranger").status == 401


def test_signing_up_is_limited_by_network(client_for: MakeClient) -> None:
    client = client_for(None)
    statuses = [sign_up(client, f"u{number}@example.com").status for number in range(6)]
    assert statuses == [201] * 5 + [429]


def test_one_mailbox_is_not_flooded_from_many_networks(client_for: MakeClient) -> None:
    """C6: codes asked, 5 in 15 min for an address: each new customer would begin to count anew."""
    statuses = [sign_up(client_for(None, ip=f"198.51.100.{number}")).status for number in range(6)]
    assert statuses == [201] * 5 + [429]


def test_a_refused_password_uses_nothing_up(client_for: MakeClient) -> None:
    client = client_for(None)
    for _ in range(6):
        assert sign_up(client, password="short").status == 400
    assert sign_up(client).status == 201


def test_names_of_any_script_have_slugs(client_for: MakeClient) -> None:
    names = ["Жар-птица", "東京", "…", "Ünïcödé " * 20]
    client = client_for(None)
    for number, name in enumerate(names):
        slug = sign_up(client, f"u{number}@example.com", organization=name).document["customer"]["slug"]
        assert len(slug) <= 63


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"password": "short"}, "password"),
        ({"organization": "x" * 201}, "organization"),
    ],
)
def test_bad_input_makes_nothing(client_for: MakeClient, fields: dict[str, str], field: str) -> None:
    answer = sign_up(client_for(None), **fields)
    assert (answer.status, list(answer.document["error"]["fields"])) == (400, [field])
    assert Customer.objects.count() == 1
    assert not User.objects.exists()
    assert not Message.objects.exists()


def test_many_at_once_do_not_stumble(client_for: MakeClient) -> None:
    from apps.customers.models import DEFAULT_CUSTOMER_ID

    factories.limit(Customer.objects.get(id=DEFAULT_CUSTOMER_ID), "signups_per_ip", 1000)
    client = client_for(None)
    emails = [f"u{number}@example.com" for number in range(12)]
    assert set(at_once(12, lambda number: sign_up(client, emails[number], organization="Same").status)) == {201}

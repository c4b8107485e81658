"""C4: the sign-in's own transaction records in PostgreSQL that the code was used: no copy of Valkey revives it."""

import pytest
from django.utils import timezone

from apps.core import valkey
from apps.mail.models import LedgerEntry, Message
from apps.otp import code_sets, fixed_codes
from apps.tokens.models import Session
from tests import factories
from tests.accounts.registering import quick
from tests.conftest import MakeClient
from tests.copies import copy_of_valkey
from tests.otp.reading import all_codes, newest_code, wrong_code
from tests.otp.ways import WAYS, Way
from tests.races import at_once
from tests.signin.entering import EMAIL, generous

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def texts(settings: object, tmp_path: object) -> None:
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = "apps.mail.sms_transports.File", f"{tmp_path}/sms.jsonl"  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_used_code_is_spent_whatever_copy_of_valkey_comes_back(client_for: MakeClient, way: Way) -> None:
    customer = quick()
    use = way(client_for(customer), customer)
    code, put_back = newest_code(), copy_of_valkey()
    assert use(code).status == 200
    sessions = Session.objects.count()
    put_back()
    assert use(code).status in (400, 401)
    assert Session.objects.count() == sessions
    carried = Message.objects.get(id=LedgerEntry.objects.filter(step="code_used").latest("at").message_id)
    assert carried.code_spent_at is not None


def test_the_other_living_codes_are_dead_too(client_for: MakeClient) -> None:
    """Success kills every code, also those that Valkey had forgotten and the copy brings back."""
    client = client_for(quick())
    for _ in range(3):
        client.request_otp(EMAIL)
    put_back = copy_of_valkey()
    client.request_otp(EMAIL)  # takes the place of the oldest
    first, *others, newest = all_codes()
    assert client.verify_otp(EMAIL, newest).status == 200
    put_back()
    assert {client.verify_otp(EMAIL, code).error_type for code in (first, *others)} == {"invalid_otp"}
    assert Session.objects.count() == 1


def test_another_address_and_another_purpose_keep_their_codes(client_for: MakeClient) -> None:
    customer = quick()
    client, bob = client_for(customer), "bob@example.com"
    client.request_otp(bob)
    his = newest_code()
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    assert client.verify_otp(bob, his).status == 200


def test_a_spent_budget_stays_spent(client_for: MakeClient) -> None:
    client = client_for(quick())
    client.request_otp(EMAIL)
    code, put_back = newest_code(), copy_of_valkey()
    for _ in range(code_sets.BUDGET):
        assert client.verify_otp(EMAIL, wrong_code(code)).error_type == "invalid_otp"
    put_back()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert not Session.objects.exists()


def test_a_code_that_comes_back_does_not_kill_a_newer_one(client_for: MakeClient) -> None:
    client = client_for(quick())
    client.request_otp(EMAIL)
    used, put_back = newest_code(), copy_of_valkey()
    assert client.verify_otp(EMAIL, used).status == 200
    put_back()
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, used).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, newest_code()).status == 200


def test_a_fixed_code_is_good_each_time_it_was_asked_for(client_for: MakeClient) -> None:
    customer = quick()
    until = timezone.now() + timezone.timedelta(days=1)
    fixed_codes.add(customer=customer, email=EMAIL, code="424242", valid_until=until, context=factories.context())
    client = client_for(customer)
    for _ in range(2):
        client.request_otp(EMAIL)
        put_back = copy_of_valkey()
        assert client.verify_otp(EMAIL, "424242").status == 200
    put_back()
    assert client.verify_otp(EMAIL, "424242").error_type == "invalid_otp"


def test_a_code_of_a_test_key_is_spent_too(client_for: MakeClient) -> None:
    customer = quick()
    client = client_for(None, headers={"X-OTP-API-Key": factories.api_key(customer, environment="test")[1]})
    client.request_otp(EMAIL)
    code, put_back = newest_code(), copy_of_valkey()
    assert client.verify_otp(EMAIL, code).status == 200
    put_back()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"


@pytest.mark.parametrize("copies", [True, False])
def test_of_many_right_answers_exactly_one_signs_in(client_for: MakeClient, copies: bool) -> None:
    """Also with different codes of the set, and while old copies of Valkey come and go."""
    customer = generous(code_resend_after=0)
    for name in ("codes_per_email", "codes_per_ip"):
        factories.limit(customer, name, 1000)
    clients = [client_for(customer) for _ in range(12)]
    for round_ in range(4):
        for _ in range(3):
            clients[0].request_otp(EMAIL)
        given = all_codes()[-3:]
        put_back = copy_of_valkey()

        def attempt(number: int, given: list[str] = given, put_back: object = put_back) -> int:
            if copies and number % 4 == 3:
                put_back()  # type: ignore[operator]
            return clients[number].verify_otp(EMAIL, given[number % 3]).status

        statuses = at_once(12, attempt, threads=12)
        assert statuses.count(200) == 1, statuses
        assert Session.objects.count() == round_ + 1


def test_nothing_of_an_erased_users_address_stays_in_the_outbox(client_for: MakeClient) -> None:
    """C8: the name of a set is made from the address."""
    client = client_for(quick())
    client.request_otp(EMAIL)
    token = client.verify_otp(EMAIL, newest_code()).document["access_token"]
    assert Message.objects.exclude(code_set="").exists()
    assert client.delete("/api/auth/me", token=token).status in (200, 204)
    assert not Message.objects.exclude(code_set="").exists()


def test_valkeys_loss_costs_nothing_but_the_living_codes(client_for: MakeClient) -> None:
    client = client_for(quick())
    client.request_otp(EMAIL)
    put_back = copy_of_valkey()
    valkey.client().flushdb()
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    put_back()
    assert client.verify_otp(EMAIL, all_codes()[0]).error_type == "invalid_otp", "gone with its set, though never used"


def test_a_code_is_good_whatever_is_done_with_its_address_at_another_customer(client_for: MakeClient) -> None:
    """C1.5: wrong codes at one customer, or a sign-in there, kill no code of the other."""
    here, there = client_for(factories.customer()), client_for(factories.customer())
    here.request_otp("ada@example.com")
    code = newest_code()
    there.request_otp("ada@example.com")
    for _ in range(5):
        assert there.verify_otp("ada@example.com", "00000000").error_type == "invalid_otp"
    assert here.verify_otp("ada@example.com", code).status == 200
    here.request_otp("bob@example.com")
    code = newest_code()
    there.request_otp("bob@example.com")
    assert there.verify_otp("bob@example.com", newest_code()).status == 200
    assert here.verify_otp("bob@example.com", code).status == 200

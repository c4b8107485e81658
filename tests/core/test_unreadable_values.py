"""C5: what another version, a fault or a stranger has left in Valkey counts as absent: no call answers 500, and each goes on."""

import random
from collections.abc import Callable

import pytest
import redis

from apps.core import rate_limits, valkey
from apps.core.rate_limits import Limit, Rule
from apps.customers.models import Customer
from apps.otp import code_sets
from demo.client import Answer, Client
from tests import factories
from tests.accounts.registering import quick, register
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.otp.reading import newest_code, wrong_code
from tests.signin.entering import EMAIL, enrol_app, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)
Garbage = Callable[[redis.Redis, bytes], object]
BYTES = random.Random(1).randbytes(40)


def no_text(client: redis.Redis, key: bytes) -> None:
    client.set(key, BYTES)


def no_number(client: redis.Redis, key: bytes) -> None:
    client.set(key, "1e999")


def json_of_another_version(client: redis.Redis, key: bytes) -> None:
    client.set(key, '{"run": "x", "shape": 99, "states": []}')


def json_of_nobody(client: redis.Redis, key: bytes) -> None:
    client.set(key, "[" * 5000)


def a_list(client: redis.Redis, key: bytes) -> None:
    client.rpush(key, BYTES, "2")


def a_set(client: redis.Redis, key: bytes) -> None:
    client.sadd(key, BYTES, "2")


def a_log_from_the_future(client: redis.Redis, key: bytes) -> None:
    client.zadd(key, {bytes([number]): float("inf") for number in range(200)})


def a_hash_of_nonsense(client: redis.Redis, key: bytes) -> None:
    fields = {"wrong": "many", "last": "9" * 15, "nan": "nan", "1e999": "x", "0x10": "y", "": "", BYTES: BYTES}
    codes_ = {"1": "x y z", "2": f"{'a' * 64} {'9' * 400} {'b' * 32}", "3": f"{'a' * 63} 1 -", "4": BYTES}
    client.hset(key, mapping={**fields, **codes_})  # type: ignore[arg-type]


KINDS: list[Garbage] = [
    no_text,
    no_number,
    json_of_another_version,
    json_of_nobody,
    a_list,
    a_set,
    a_log_from_the_future,
    a_hash_of_nonsense,
]
Call = Callable[[], Answer]


def asking_for_a_code(client: Client, _customer: Customer) -> Call:
    return lambda: client.request_otp(EMAIL)


def trying_a_code(client: Client, _customer: Customer) -> Call:
    client.request_otp(EMAIL)
    wrong = wrong_code(newest_code())
    return lambda: client.verify_otp(EMAIL, wrong)


def registering(client: Client, _customer: Customer) -> Call:
    return lambda: register(client)


def forgetting_a_password(client: Client, customer: Customer) -> Call:
    member(customer)
    return lambda: client.before_sign_in("/api/auth/forgot-password", {"email": EMAIL})


def signing_in_by_password(client: Client, customer: Customer) -> Call:
    member(customer)
    return lambda: login(client)


def giving_a_second_factor(client: Client, customer: Customer) -> Call:
    enrol_app(member(customer))
    return lambda: second(client, login(client).document["session_token"], "totp", code="000000")


def signing_in_by_passkey(client: Client, customer: Customer) -> Call:
    device = Authenticator()
    enrol_passkey(client, factories.session(member(customer)).access, device)

    def sign_in() -> Answer:
        options = client.before_sign_in("/api/auth/passkey/options", {})
        return client.before_sign_in("/api/auth/passkey/verify", {"credential": device.get(options.document)})

    return sign_in


def being_signed_in(client: Client, customer: Customer) -> Call:
    token = factories.session(member(customer)).access
    return lambda: client.get("/api/auth/me", token=token)


def refreshing(client: Client, customer: Customer) -> Call:
    kept = [factories.session(member(customer)).refresh]

    def refresh() -> Answer:
        answer = client.refresh(kept[0])
        kept[0] = answer.document["refresh_token"]
        return answer

    return refresh


CALLS = [
    asking_for_a_code,
    trying_a_code,
    registering,
    forgetting_a_password,
    signing_in_by_password,
    giving_a_second_factor,
    signing_in_by_passkey,
    being_signed_in,
    refreshing,
]


@pytest.mark.parametrize("arrange", CALLS, ids=lambda call: call.__name__)
def test_no_call_fails_over_what_it_finds_in_valkey(client_for: MakeClient, arrange: Callable[..., Call]) -> None:
    """Whatever each key holds, the answer is the same as without the key."""
    customer = quick()
    for name in ("codes_per_email", "codes_per_ip"):
        factories.limit(customer, name, 1000)
    call = arrange(client_for(customer), customer)
    usual = call().status
    assert usual < 500
    found = 0
    for make in KINDS:
        for key in list(valkey.client().scan_iter("gatehouse:*")):
            valkey.client().delete(key)
            make(valkey.client(), key)
            found += 1
        assert call().status == usual, make.__name__
    assert found


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_set_of_codes_begins_anew(client_for: MakeClient, make: Garbage) -> None:
    client = client_for(quick())
    client.request_otp(EMAIL)
    lost = newest_code()
    (name,) = [key for key in valkey.client().scan_iter() if b":codes:" in key]
    valkey.client().delete(name)
    make(valkey.client(), name)
    assert client.verify_otp(EMAIL, lost).error_type == "invalid_otp"
    client.request_otp(EMAIL)
    code = newest_code()
    for _ in range(code_sets.BUDGET - 1):
        assert client.verify_otp(EMAIL, wrong_code(code)).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, code).status == 200


@pytest.mark.parametrize("budget", ["many", "-5", "1e9", ""])
def test_a_budget_that_cannot_be_read_is_a_fresh_one(client_for: MakeClient, budget: str) -> None:
    client = client_for(quick())
    client.request_otp(EMAIL)
    code = newest_code()
    (name,) = [key for key in valkey.client().scan_iter() if b":codes:" in key]
    valkey.client().hset(name, mapping={"wrong": budget, "last": budget})
    for _ in range(code_sets.BUDGET):
        assert client.verify_otp(EMAIL, wrong_code(code)).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_limit_holds_from_then_on(make: Garbage) -> None:
    key = valkey.key("test", "limit")
    make(valkey.client(), key.encode())
    rules = [Rule(Limit("tries", 2, 60), key)]
    assert [rate_limits.hit(rules).remaining for _ in range(2)] == [{"tries": 1}, {"tries": 0}]


def test_a_wrong_type_is_logged_with_its_key(caplog: pytest.LogCaptureFixture) -> None:
    key = valkey.key("test", "limit")
    valkey.client().set(key, "x")
    for _ in range(2):
        rate_limits.hit([Rule(Limit("tries", 5, 60), key)])
    assert caplog.text.count("valkey_value_unreadable") == 1

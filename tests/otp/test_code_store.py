"""One-time codes in Valkey: how long each lives, what is stored of it, and how long budget and wait last."""

import time
from dataclasses import replace

import pytest

from apps.core import valkey
from apps.core.ids import new_id
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.otp import code_store, new_codes
from apps.otp.code_sets import BUDGET, CodeSet
from apps.otp.errors import ResendTooSoon
from apps.otp.new_codes import NewCode
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
NETWORK = limits.rule(replace(limits.DEFAULTS[limits.TRIES_PER_IP], count=10_000), limits.EVERY_CUSTOMER, "192.0.2.7")


def customer(**policy: object) -> CustomerState:
    standing = factories.state_of(factories.customer(code_resend_after=0))
    return replace(standing, **policy)  # type: ignore[arg-type]


def issue(of: CustomerState, code: str, identity: str = EMAIL, purpose: str = "login") -> NewCode:
    code_set = CodeSet(of.id, identity, purpose)
    new = NewCode(new_id(), code_set.name, code)
    with code_store.issued(code_set, new, customer=of, rules=[]):
        return new


def redeems(of: CustomerState, code: str, identity: str = EMAIL, purpose: str = "login") -> bool:
    guessing = limits.rule(of.limit(limits.WRONG_CODES_PER_CUSTOMER), of.id)
    claim = code_store.claim(CodeSet(of.id, identity, purpose), code, network=NETWORK, rules=[], guessing=guessing)
    if claim.message_id is not None:
        code_store.settle(claim)
    return claim.message_id is not None


def everything_in_valkey() -> bytes:
    client = valkey.client()
    kept = []
    for key in client.scan_iter():
        kept.append(key)
        kind = client.type(key)
        read = {b"hash": client.hgetall, b"zset": lambda name: client.zrange(name, 0, -1), b"string": client.get}[kind]
        kept.append(repr(read(key)).encode())
    return b"\n".join(kept)


def test_each_code_lives_until_its_own_expiry() -> None:
    brief, long = customer(code_lifetime=1), 60
    issue(brief, "111111")
    issue(replace(brief, code_lifetime=long), "222222")
    time.sleep(1.05)
    assert not redeems(brief, "111111")
    assert redeems(brief, "222222")


def test_a_shorter_lived_later_code_does_not_shorten_the_earlier() -> None:
    lasting = customer(code_lifetime=60)
    issue(lasting, "111111")
    issue(replace(lasting, code_lifetime=1), "222222")
    time.sleep(1.05)
    assert not redeems(lasting, "222222")
    assert redeems(lasting, "111111")


def test_an_expired_set_takes_its_budget_with_it() -> None:
    brief = customer(code_lifetime=1)
    issue(brief, "111111")
    for _ in range(BUDGET - 1):
        assert not redeems(brief, "000000")
    time.sleep(1.05)
    lasting = replace(brief, code_lifetime=60)
    issue(lasting, "222222")
    assert not redeems(lasting, "000000")
    assert redeems(lasting, "222222")


@pytest.mark.parametrize("wrong", range(BUDGET + 1))
def test_the_budget_is_five_wrong_tries(wrong: int) -> None:
    """C4: all codes of a set share one budget of 5 wrong tries."""
    of = customer()
    issue(of, "111111")
    issue(of, "222222")
    for _ in range(wrong):
        assert not redeems(of, "000000")
    assert redeems(of, "111111") is (wrong < BUDGET)


def test_a_spent_budget_does_not_lift_the_wait_but_success_does() -> None:
    of = customer(code_resend_after=30)
    issue(of, "111111")
    for _ in range(BUDGET):
        redeems(of, "000000")
    with pytest.raises(ResendTooSoon) as refused:
        issue(of, "222222")
    assert 0 < (refused.value.retry_after or 0) <= 30
    issue(of, "333333", identity="bob@example.com")
    assert redeems(of, "333333", identity="bob@example.com")
    issue(of, "444444", identity="bob@example.com")


def test_a_wrong_try_where_there_is_no_code_spends_nothing_and_leaves_nothing_for_ever() -> None:
    of = customer()
    for _ in range(BUDGET * 2):
        assert not redeems(of, "000000")
    assert all(valkey.client().ttl(key) > 0 for key in valkey.client().scan_iter())
    issue(of, "111111")
    assert redeems(of, "111111")


def test_a_code_is_for_one_customer_one_address_and_one_purpose() -> None:
    """C1.5, C4: isolated by customer; the key depends on customer, email and purpose."""
    of, other = customer(), customer()
    issue(of, "111111")
    assert not redeems(other, "111111")
    assert not redeems(of, "111111", identity="bob@example.com")
    assert not redeems(of, "111111", purpose="verify")
    macs = {
        CodeSet(of.id, EMAIL, "login").mac("111111"),
        CodeSet(other.id, EMAIL, "login").mac("111111"),
        CodeSet(of.id, "bob@example.com", "login").mac("111111"),
        CodeSet(of.id, EMAIL, "verify").mac("111111"),
    }
    assert len(macs) == 4
    assert redeems(of, "111111")


def test_a_stored_code_moved_to_another_address_is_worthless() -> None:
    of = customer()
    issue(of, "111111")
    mine, theirs = CodeSet(of.id, EMAIL, "login"), CodeSet(of.id, "eve@example.com", "login")
    valkey.client().rename(mine.key("codes"), theirs.key("codes"))
    assert not redeems(of, "111111", identity="eve@example.com")


def test_neither_code_nor_address_can_be_read_from_valkey_and_nothing_stays() -> None:
    of, identity = customer(), "grace.hopper@example.com"  # random hex cannot contain it, nor this code
    issue(of, "KWTXHR", identity=identity)
    redeems(of, "000000", identity=identity)
    memory = everything_in_valkey()
    assert b":codes:" in memory
    assert b"KWTXHR" not in memory
    assert b"hopper" not in memory
    assert all(valkey.client().ttl(key) > 0 for key in valkey.client().scan_iter())


def test_a_withdrawn_code_is_dead_and_leaves_the_others_alive() -> None:
    of = customer()
    issue(of, "111111")
    code_set = CodeSet(of.id, EMAIL, "login")
    with (
        pytest.raises(ZeroDivisionError),
        code_store.issued(code_set, NewCode(new_id(), code_set.name, "222222"), customer=of, rules=[]),
    ):
        raise ZeroDivisionError
    assert not redeems(of, "222222")
    assert redeems(of, "111111")


def test_the_answer_names_the_mail_that_carried_the_code() -> None:
    of = customer()
    issue(of, "111111")
    second = issue(of, "222222")
    guessing = limits.rule(of.limit(limits.WRONG_CODES_PER_CUSTOMER), of.id)
    found = code_store.claim(CodeSet(of.id, EMAIL, "login"), "222 222", network=NETWORK, rules=[], guessing=guessing)
    assert found.message_id == second.message_id


@pytest.mark.parametrize(("alphabet", "letters"), [("digits", "0123456789"), ("letters", "ABCDEFGHJKMNPQRTUVWXY")])
def test_generated_codes_have_the_customers_form_and_spread_over_all_of_it(alphabet: str, letters: str) -> None:
    of = customer(code_alphabet=alphabet, code_length=10)
    generated = [new_codes.new(CodeSet(of.id, EMAIL, "login"), of).code for _ in range(300)]
    assert {len(code) for code in generated} == {10}
    assert set("".join(generated)) == set(letters)
    assert len(set(generated)) == 300


def test_a_code_is_not_in_its_repr() -> None:
    """C2.4: no secret in `repr()`."""
    assert "111111" not in repr(NewCode(new_id(), "a set", "111111"))

"""The algorithm of a customer (contract 3.2): it belongs to a version of its secrets, and another one begins a new version."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.models import Event
from apps.core import ciphers, sealed, valkey
from apps.core.errors import ValidationFailed
from apps.customers import keyring, lifecycle, state, validation
from apps.customers.models import Customer, SigningSecret
from apps.customers.policy import Algorithm
from tests import factories
from tests.operators.pages.customer_form import path_of, save
from tests.operators.saving import confirm
from tests.operators.signing_in import operator, sign_in
from tests.races import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:x"
KEY_PAIRS = {
    Algorithm.ES256: EllipticCurvePrivateKey,
    Algorithm.EDDSA: Ed25519PrivateKey,
    Algorithm.RS256: RSAPrivateKey,
}


@pytest.fixture
def browser() -> Browser:
    operator()
    return sign_in()


def current(customer: Customer) -> SigningSecret:
    return SigningSecret.objects.get(customer=customer, retires_at=None)


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_a_version_holds_two_private_keys_sealed_at_rest(algorithm: str) -> None:
    """C3.1, C2.4.1: one for access tokens, one for all else; nowhere in the clear, not in Valkey, not in a repr."""
    customer = factories.customer(algorithm=algorithm)
    row = current(customer)
    state.read(customer.id)
    found = [sealed.read(row, name) for name in ("access_secret", "refresh_secret")]
    assert found[0] != found[1]
    stored = b" ".join(valkey.client().get(key) or b"" for key in valkey.client().scan_iter("gatehouse:*"))
    shown = repr(keyring.signing_keys(customer.id, row.id)) + row.access_secret + row.refresh_secret
    for pem in found:
        assert isinstance(load_pem_private_key(pem, None), KEY_PAIRS[Algorithm(algorithm)])
        assert pem.splitlines()[1] not in stored + shown.encode()


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_shared_secret_is_of_64_random_bytes(algorithm: str) -> None:
    """C3.1: for HS512 as well, whose keys must have 64 bytes (RFC 7518 section 3.2)."""
    row = current(factories.customer(algorithm=algorithm))
    assert row.algorithm == algorithm
    assert len(bytes.fromhex(sealed.read(row, "access_secret").decode())) == 64


def test_another_algorithm_begins_a_new_version_at_once() -> None:
    """C3.2, C3.7: new tokens use it; the old version verifies on, by its own algorithm."""
    customer = factories.customer()
    old = current(customer)
    factories.policy(customer, algorithm="ES256")
    new, now = current(customer), timezone.now()
    assert (new.algorithm, new.id != old.id) == ("ES256", True)
    found = state.read(customer.id)
    assert keyring.current_kid(found) == new.id
    assert found.verifies(str(old.id), now)
    keys = keyring.signing_keys(customer.id, old.id)
    assert keys
    assert keys.algorithm == "HS256"
    event = Event.objects.get(action="secrets_rotated", customer_id=customer.id)
    assert (event.details["mode"], event.details["algorithm"], event.actor) == ("graceful", "ES256", "system")


def test_the_same_algorithm_and_other_changes_rotate_nothing() -> None:
    customer = factories.customer(algorithm="EdDSA")
    before = current(customer)
    factories.policy(customer, algorithm="EdDSA")
    factories.policy(customer, code_length=8)
    assert current(customer) == before


def test_the_other_customer_does_not_notice() -> None:
    """C1.5."""
    one, other = factories.customer(), factories.customer()
    before = current(other)
    factories.policy(one, algorithm="EdDSA")
    assert current(other) == before


def test_the_old_version_outlives_its_longest_token_though_lifetimes_are_cut_with_it() -> None:
    """C3.7: graceful is until the longest token it signed has expired."""
    customer, now = factories.customer(refresh_lifetime=90 * 86_400), timezone.now()
    old = current(customer)
    changes = {"algorithm": "ES256", "refresh_lifetime": 3600, "access_lifetime": 300}
    lifecycle.update_policy(customer=customer, changes=changes, context=factories.context(WHO, now=now))
    old.refresh_from_db()
    assert old.retires_at == now + timedelta(days=90)


def test_an_emergency_is_none_of_the_algorithms() -> None:
    """C3.7: the new version is of the customer's algorithm, whichever rotation made it."""
    customer = factories.customer(algorithm="EdDSA")
    keyring.rotate_in_emergency(customer, context=factories.context(WHO))
    assert {row.algorithm for row in SigningSecret.objects.filter(customer=customer)} == {"EdDSA"}


def test_simultaneous_changes_leave_one_version_of_the_last_algorithm() -> None:
    customer = factories.customer()
    algorithms = ["ES256", "EdDSA", "HS512", "HS256"] * 3

    def change(number: int) -> str:
        mine = Customer.objects.get(id=customer.id)
        return outcome(lambda: factories.policy(mine, algorithm=algorithms[number]))

    assert at_once(12, change, threads=6) == ["done"] * 12
    customer.refresh_from_db()
    assert current(customer).algorithm == customer.algorithm


def test_a_refused_change_rotates_nothing() -> None:
    customer = factories.customer()
    before = current(customer)
    with pytest.raises(ValidationFailed):
        factories.policy(customer, algorithm="ES256", code_length=99)
    customer.refresh_from_db()
    assert (current(customer), customer.algorithm) == (before, "HS256")


def test_an_operator_changes_it_in_the_admin(browser: Browser) -> None:
    customer = factories.customer(name="Shop")
    asked = save(browser, customer, algorithm="ES256")
    assert current(customer).algorithm == "HS256"
    assert confirm(browser, path_of(customer, "secrets"), asked).status_code == 302
    assert save(browser, customer, sms_regions="DE\nAT").status_code == 302
    assert save(browser, customer, second_factor="required").status_code == 302
    assert current(customer).algorithm == "ES256"
    found = state.read(customer.id)
    assert (found.algorithm, found.sms_regions, found.second_factor) == ("ES256", ("DE", "AT"), "required")
    event = Event.objects.get(action="secrets_rotated", customer_id=customer.id)
    assert event.actor == "operator:ops@example.com"


@pytest.mark.parametrize("nothing", ["", " \n", "[]"])
def test_a_list_left_empty_in_the_admin_is_an_empty_list(browser: Browser, nothing: str) -> None:
    customer = factories.customer(name="Shop", sms_regions=["DE"], allowed_origins=["https://app.example.com"])
    assert save(browser, customer, sms_regions=nothing).status_code == 302
    assert save(browser, customer, allowed_origins=nothing).status_code == 302
    found = state.read(customer.id)
    assert (found.sms_regions, found.allowed_origins) == ((), ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"sms_regions": '["de"]'},
        {"sms_regions": '["XX"]'},
        {"sms_regions": '"DE"'},
        {"sms_regions": "[1]"},
        {"account_url": "http://app.example.com"},
        {"account_url": "https://app.example.com/?next="},
        {"account_url": "https://app.example.com/#/account"},
        {"account_url": "https://user@app.example.com/"},
        {"account_url": "ftp://app.example.com/"},
        {"account_url": "javascript:alert(1)"},
        {"sessions_per_user": 0},
        {"second_factor": "never"},
    ],
)
def test_a_bad_account_policy_is_refused_whole(browser: Browser, wrong: dict[str, object]) -> None:
    customer = factories.customer(name="Before")
    before = Customer.objects.values().get(id=customer.id)
    assert save(browser, customer, **wrong).status_code == 200  # the form again, with its faults
    assert Customer.objects.values().get(id=customer.id) == before


@pytest.mark.parametrize(
    "address", ["https://app.example.com", "https://app.example.com/a/b", "http://localhost:3000/x"]
)
def test_pages_of_apps_are_accepted(address: str) -> None:
    validation.validate_page(address)


@pytest.mark.parametrize(
    "address", ["http://app.example.com", "//app.example.com", "", "http://localhost.evil.example"]
)
def test_other_pages_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        validation.validate_page(address)


@given(st.binary(max_size=200))
def test_a_signature_follows_from_key_and_text_and_is_the_lower_one(message: bytes) -> None:
    """RFC 6979; of (r, s) and (r, n - s) one counts."""
    key = load_pem_private_key(P256_KEY, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    signature = ciphers.sign_p256(message, key=key)
    assert signature == ciphers.sign_p256(message, key=key)
    assert ciphers.is_lower_p256_signature(signature)
    s = int.from_bytes(signature[32:])
    other = signature[:32] + (ciphers.P256_ORDER - s).to_bytes(32)
    assert not ciphers.is_lower_p256_signature(other)


P256_KEY = ciphers.new_p256_key()


def test_the_nonce_is_that_of_rfc_6979() -> None:
    """RFC 6979 appendix A.2.5: P-256, SHA-256, "sample" (s is in the upper half there, so ours is n - s)."""
    from cryptography.hazmat.primitives.asymmetric import ec

    private = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    r = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    s = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
    signature = ciphers.sign_p256(b"sample", key=ec.derive_private_key(private, ec.SECP256R1()))
    assert signature == r.to_bytes(32) + (ciphers.P256_ORDER - s).to_bytes(32)


@pytest.mark.parametrize("length", [0, 63, 65, 70])
def test_other_lengths_are_no_signature(length: int) -> None:
    assert not ciphers.is_lower_p256_signature(b"\0" * length)

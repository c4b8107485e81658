"""Customers: their secrets and the rotation of these, policy, allowlist, origins."""

import importlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.models import Event
from apps.core import sealed, valkey
from apps.core.ciphers import DecryptionFailed
from apps.core.errors import ValidationFailed
from apps.customers import keyring, limits, state, validation
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, SigningSecret
from tests import factories
from tests.races import at_once, outcome
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:x"


def test_a_customer_is_made_with_two_secrets_sealed_at_rest() -> None:
    """C3.1: 64 random bytes as 128 hex characters each, and C2.4.1: nowhere in the clear."""
    one, other = factories.customer(), factories.customer()
    rows = SigningSecret.objects.filter(customer__in=(one, other))
    found = [sealed.read(row, name) for row in rows for name in ("access_secret", "refresh_secret")]
    assert len(set(found)) == 4
    for row in rows:
        for name in ("access_secret", "refresh_secret"):
            secret = sealed.read(row, name)
            assert len(bytes.fromhex(secret.decode())) == 64
            assert secret.decode() not in getattr(row, name)
            assert secret.decode() not in repr(keyring.signing_keys(row.customer_id, row.id))


def test_a_secret_moved_to_another_customers_row_does_not_open() -> None:
    """C2.4.1: bound to table, column and row."""
    one, other = (SigningSecret.objects.get(customer=factories.customer()) for _ in range(2))
    one.access_secret = other.access_secret
    with pytest.raises(DecryptionFailed):
        sealed.read(one, "access_secret")
    other.access_secret = other.refresh_secret
    with pytest.raises(DecryptionFailed):
        sealed.read(other, "access_secret")


def test_a_version_is_its_customers_alone_and_garbage_costs_no_query_each() -> None:
    one, other = factories.customer(), factories.customer()
    kid = SigningSecret.objects.get(customer=one).id
    assert keyring.signing_keys(other.id, kid) is None
    assert keyring.signing_keys(one.id, kid) is not None
    unknown = uuid4()
    with counted() as cost:
        for _ in range(20):
            assert keyring.signing_keys(one.id, unknown) is None
            assert keyring.signing_keys(one.id, kid) is not None
    assert len(cost.statements) == 1


def test_a_migration_makes_the_default_customer() -> None:
    """C1.4: with no allowlist, and with secrets."""
    migration = importlib.import_module("apps.customers.migrations.0002_default_customer")
    Customer.objects.all().delete()
    migration.create(apps, None)
    default = state.read(DEFAULT_CUSTOMER_ID)
    assert (default.slug, default.networks, len(default.secrets)) == ("default", (), 1)
    assert len(sealed.read(SigningSecret.objects.get(), "access_secret")) == 128


def test_simultaneous_rotations_leave_one_current_secret() -> None:
    customer = factories.customer()
    results = at_once(
        12, lambda _: outcome(lambda: keyring.rotate_gracefully(customer, context=factories.context(WHO))), threads=12
    )
    assert results.count("done") == 12
    assert SigningSecret.objects.filter(customer=customer, retires_at=None).count() == 1
    assert Event.objects.filter(action="secrets_rotated", customer_id=customer.id).count() == 12


def test_an_old_secret_lives_as_long_as_its_longest_token() -> None:
    """C3.7: graceful rotation."""
    customer, now = factories.customer(access_lifetime=300, refresh_lifetime=7200), timezone.now()
    old = SigningSecret.objects.get(customer=customer)
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    old.refresh_from_db()
    assert old.retires_at == now + timedelta(seconds=7200)
    found = state.read(customer.id)
    assert found.verifies(str(old.id), now)
    assert not found.verifies(str(old.id), now + timedelta(seconds=7200))
    assert not found.verifies(str(uuid4()), now)
    with pytest.raises(ValidationFailed):
        keyring.rotate_gracefully(
            customer, retires_at=now + timedelta(days=99), context=factories.context(WHO, now=now)
        )


def test_shortening_lifetimes_shortens_no_token_that_was_signed_before() -> None:
    """C3.7: a refresh token of 90 days lives on although the policy says an hour by the time of the rotation."""
    customer = factories.customer(refresh_lifetime=90 * 86_400)
    old, before = SigningSecret.objects.get(customer=customer), timezone.now()
    factories.policy(customer, refresh_lifetime=3600, access_lifetime=300)
    keyring.rotate_gracefully(customer, context=factories.context(WHO))
    old.refresh_from_db()
    assert old.retires_at is not None
    assert before + timedelta(days=90) <= old.retires_at <= timezone.now() + timedelta(days=90)


def test_the_longest_of_all_lifetimes_that_a_version_has_signed_under_counts() -> None:
    """C3.7: raised, then lowered, then lowered again; a later shortening takes nothing back."""
    customer, other = factories.customer(refresh_lifetime=7200), factories.customer(refresh_lifetime=7200)
    old = SigningSecret.objects.get(customer=customer)
    factories.policy(customer, refresh_lifetime=30 * 86_400)
    raised = timezone.now()
    factories.policy(customer, refresh_lifetime=86_400)
    factories.policy(customer, refresh_lifetime=3600, access_lifetime=300)
    factories.policy(customer, refresh_lifetime=7200)
    now = timezone.now()
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    keyring.rotate_gracefully(other, context=factories.context(WHO, now=now))
    old.refresh_from_db()
    assert old.retires_at is not None
    assert raised <= old.retires_at - timedelta(days=30) <= now
    assert SigningSecret.objects.get(customer=other, retires_at__isnull=False).retires_at == now + timedelta(hours=7)


def test_a_new_version_owes_nothing_to_what_the_one_before_has_signed() -> None:
    customer = factories.customer(access_lifetime=300, refresh_lifetime=90 * 86_400)
    factories.policy(customer, refresh_lifetime=3600)
    keyring.rotate_gracefully(customer, context=factories.context(WHO))
    second, now = SigningSecret.objects.get(customer=customer, retires_at=None), timezone.now()
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    second.refresh_from_db()
    assert second.retires_at == now + timedelta(hours=1)


def test_the_next_rotation_leaves_an_older_secret_its_time() -> None:
    """C3.7: its own tokens decide, not those of the version that came after it."""
    customer, now = factories.customer(access_lifetime=300, refresh_lifetime=90 * 86_400), timezone.now()
    first = SigningSecret.objects.get(customer=customer)
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    factories.policy(customer, refresh_lifetime=3600)
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now + timedelta(days=80)))
    first.refresh_from_db()
    assert first.retires_at == now + timedelta(days=90)


def test_a_chosen_earlier_time_is_for_all_old_versions() -> None:
    """C3.7; and may be as late as the longest token lives."""
    customer, now = factories.customer(access_lifetime=300, refresh_lifetime=90 * 86_400), timezone.now()
    factories.policy(customer, refresh_lifetime=3600)
    keyring.rotate_gracefully(customer, retires_at=now + timedelta(days=89), context=factories.context(WHO, now=now))
    keyring.rotate_gracefully(customer, retires_at=now + timedelta(minutes=1), context=factories.context(WHO, now=now))
    ends = SigningSecret.objects.filter(customer=customer, retires_at__isnull=False).values_list(
        "retires_at", flat=True
    )
    assert set(ends) == {now + timedelta(minutes=1)}


def test_the_customer_as_somebody_else_has_changed_it_decides() -> None:
    """An operator's page may be older than the policy."""
    customer = factories.customer(access_lifetime=300, refresh_lifetime=3600)
    page = Customer.objects.get(id=customer.id)
    factories.policy(customer, refresh_lifetime=86_400)
    old, now = SigningSecret.objects.get(customer=customer), timezone.now()
    keyring.rotate_gracefully(page, context=factories.context(WHO, now=now))
    old.refresh_from_db()
    assert old.retires_at == now + timedelta(days=1)


def test_a_shorter_rotation_never_prolongs_an_older_secret() -> None:
    customer, now = factories.customer(), timezone.now()
    first = SigningSecret.objects.get(customer=customer)
    keyring.rotate_gracefully(customer, retires_at=now + timedelta(hours=1), context=factories.context(WHO, now=now))
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    first.refresh_from_db()
    assert first.retires_at == now + timedelta(hours=1)


def test_policy_changes_are_seen_at_once_and_written_down() -> None:
    one, other = factories.customer(), factories.customer()
    assert state.read(one.id).code_length == 6
    factories.policy(one, code_length=8)
    assert (state.read(one.id).code_length, state.read(other.id).code_length) == (8, 6)
    event = Event.objects.get(action="policy_changed", customer_id=one.id)
    changes = {"code_length": {"before": 6, "after": 8}}
    assert event.details == {"fields": ["code_length"], "changes": changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"slug": "other"},
        {"status": "suspended"},
        {"code_length": 3},
        {"code_length": 11},
        {"refresh_grace": 61},
        {"allowed_origins": ["http://example.com"]},
        {"colour": "red"},
        {"algorithm": "none"},
        {"access_lifetime": -1},
    ],
)
def test_a_bad_policy_is_refused(changes: dict[str, object]) -> None:
    customer = factories.customer()
    with pytest.raises(ValidationFailed) as error:
        factories.policy(customer, **changes)
    assert list(error.value.fields or {}) == list(changes)
    assert state.read(customer.id).code_length == 6


def test_limits_are_the_contracts_unless_a_customer_has_its_own() -> None:
    """C6 of the contract: defaults, and exceptions of one customer."""
    one, other = factories.customer(), factories.customer()
    factories.limit(one, limits.CODES_PER_EMAIL, 50, 60)
    assert state.read(one.id).limit(limits.CODES_PER_EMAIL).count == 50
    assert state.read(other.id).limit(limits.CODES_PER_EMAIL) == limits.DEFAULTS[limits.CODES_PER_EMAIL]
    for name, window in ((limits.CODES_PER_EMAIL, 0), (limits.WRONG_CODES_IN_A_ROW, 60), ("nonsense", 60)):
        with pytest.raises(ValidationFailed):
            factories.limit(one, name, 5, window)


def test_no_secret_is_in_what_is_remembered() -> None:
    """C2.4.3: the remembered state names the secrets but contains none, and nothing of it is in Valkey."""
    customer = factories.customer()
    stored = repr(state.read(customer.id)).encode()
    row = SigningSecret.objects.get(customer=customer)
    assert list(valkey.client().scan_iter("gatehouse:*")) == []
    assert str(row.id).encode() in stored
    for name in ("access_secret", "refresh_secret"):
        assert sealed.read(row, name) not in stored
        assert getattr(row, name).encode() not in stored


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.7 ", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_networks_are_stored_in_one_form(text: str, canonical: str) -> None:
    assert validation.canonical_network(text) == canonical


@given(st.text(max_size=40))
def test_anything_else_is_no_network(text: str) -> None:
    try:
        found = validation.canonical_network(text)
    except ValidationError:
        return
    assert validation.canonical_network(found) == found


def test_a_customer_who_is_remembered_costs_nothing() -> None:
    customer = factories.customer()
    state.read(customer.id)
    with counted() as cost:
        state.read(customer.id)
    assert (cost.statements, cost.round_trips) == ([], 0)

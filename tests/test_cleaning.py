"""That no test finds what another wrote (tests/cleaning.py)."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, connections, transaction

from apps.audit import actions, events
from apps.customers.models import Customer, SigningSecret
from tests import cleaning, factories
from tests.cleaning import Pristine

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_test_wrote_is_deleted_whatever_points_to_it_or_protects_it(django_db_setup: Pristine) -> None:
    factories.user(factories.customer())
    events.record(action=actions.SIGN_IN, context=factories.context())
    assert {"customers_customer", "users_user", "audit_event"} <= cleaning.written(django_db_setup)
    cleaning.clean(django_db_setup)
    assert cleaning.written(django_db_setup) == set()
    assert Permission.objects.exists()


def test_what_somebody_wrote_between_two_tests_fails_the_second_and_is_deleted(django_db_setup: Pristine) -> None:
    cleaning.clean(django_db_setup)
    factories.customer()
    with pytest.raises(AssertionError, match="customers_customer"):
        cleaning.assert_clean(django_db_setup)
    cleaning.assert_clean(django_db_setup)


def test_the_default_customer_is_put_back_and_otherwise_left_alone(django_db_setup: Pristine) -> None:
    default = Customer.objects.get()
    factories.customer()
    cleaning.clean(django_db_setup)
    assert Customer.objects.get() == default
    Customer.objects.update(name="Changed")
    SigningSecret.objects.all().delete()
    assert cleaning.written(django_db_setup) == set(cleaning.MADE)
    cleaning.clean(django_db_setup)
    assert cleaning.written(django_db_setup) == set()
    assert Customer.objects.get().name == default.name
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer CASCADE")
    cleaning.clean(django_db_setup)
    assert cleaning.written(django_db_setup) == set()


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        ("UPDATE auth_permission SET name = 'other' WHERE codename = 'view_user'", "permissions"),
        ("DELETE FROM django_migrations WHERE app = 'audit'", "applied migrations"),
        ("DROP TRIGGER audit_event_no_change ON audit_event", "triggers"),
        ("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_truncate", "triggers"),
        ("CREATE TABLE left_over ()", "tables and indexes"),
    ],
)
def test_a_test_that_changes_what_all_share_fails(change: str, shared: str, django_db_setup: Pristine) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
        with pytest.raises(AssertionError, match=shared):
            cleaning.clean(django_db_setup)
        transaction.set_rollback(True)


def test_a_transaction_that_a_test_leaves_open_fails_it(
    django_db_setup: Pristine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "PATIENCE_SECONDS", 0.1)
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 'left open'")
        with pytest.raises(AssertionError, match="left open"):
            cleaning.clean(django_db_setup)
    finally:
        other.close()


def test_rows_that_a_migration_makes_are_not_deleted_without_a_word() -> None:
    factories.api_key(factories.customer())
    with pytest.raises(AssertionError, match="api_keys_apikey"):
        cleaning.take_note()

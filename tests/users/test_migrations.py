"""What users held before roles and permissions had tables is known to their customers afterwards."""

from importlib import import_module

import pytest
from django.apps import apps

from apps.users.models import Permission, Role
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_roles_and_permissions_that_users_have_are_listed() -> None:
    migration = import_module("apps.users.migrations.0002_accounts")
    one, other = factories.customer(), factories.customer()
    factories.user(one, role="auditor", permissions=["invoices.read", "reports.read"])
    factories.user(one, "bob@example.com", role="auditor", permissions=["invoices.read"])
    factories.user(other, role="admin", permissions=[])
    migration.list_what_users_hold(apps, None)
    migration.list_what_users_hold(apps, None)  # again is no error
    assert list(Role.objects.values_list("customer", "name")) == [(one.id, "auditor")]
    assert list(Permission.objects.values_list("customer", "name")) == [
        (one.id, "invoices.read"),
        (one.id, "reports.read"),
    ]

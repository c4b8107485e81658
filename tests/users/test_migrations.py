"""What users held before roles and permissions had tables is known to their customers afterwards."""

from importlib import import_module

import pytest
from django.apps import apps

from apps.users.models import Permission, Role, User
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


def test_addresses_beyond_ascii_are_compared_anew() -> None:
    """C6. What cannot be told apart or is no address any more is left as it was."""
    migration = import_module("apps.users.migrations.0005_identities_by_idna_2008")
    customer, other = factories.customer(), factories.customer()
    before = {
        "straße@example.com": "strasse@example.com",
        "a@faß.example": "a@fass.example",
        "b@i❤.example": "b@xn--i-7iq.example",
    }
    for email, identity in before.items():
        for of in (customer, other):
            row = factories.user(of, f"{len(email)}@example.com")
            User.objects.filter(id=row.id).update(email=email, email_identity=identity)
    plain = factories.user(customer, "Ada@example.com")
    factories.user(other, "a@xn--fa-hia.example")

    migration.compare_anew(apps, None)
    migration.compare_anew(apps, None)  # again is no error

    found = dict(User.objects.filter(customer=customer).values_list("email", "email_identity"))
    assert found == {
        "straße@example.com": "straße@example.com",
        "a@faß.example": "a@xn--fa-hia.example",
        "b@i❤.example": "b@xn--i-7iq.example",
        plain.email: plain.email_identity,
    }
    assert User.objects.get(customer=other, email="a@faß.example").email_identity == "a@fass.example"

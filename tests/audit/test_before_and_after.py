"""Every change of an operator tells what was before and after it, and never a secret, nor who a user is."""

import pytest
from django.test import Client

from apps.audit import actions, before_and_after
from apps.audit.models import Event
from apps.customers import lifecycle as customers
from apps.oauth import clients
from apps.users import lifecycle as users
from apps.users import roles
from tests import factories
from tests.operators.signing_in import AS_AUDITOR, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3600


def newest(action: str) -> Event:
    return Event.objects.filter(action=action).order_by("-at", "-id")[0]


def test_a_change_of_the_policy_tells_both_values() -> None:
    customer = factories.customer()
    factories.policy(customer, access_lifetime=HOUR, allowed_origins=["https://app.example.com"])
    assert newest(actions.POLICY_CHANGED).details["changes"] == {
        "access_lifetime": {"before": 7 * HOUR, "after": HOUR},
        "allowed_origins": {"before": [], "after": ["https://app.example.com"]},
    }


def test_the_value_before_is_that_of_the_database_and_not_of_an_old_copy() -> None:
    customer = factories.customer()
    old_copy = type(customer).objects.get(id=customer.id)
    factories.policy(customer, access_lifetime=2 * HOUR)
    factories.policy(old_copy, access_lifetime=HOUR)
    changes = Event.objects.filter(action=actions.POLICY_CHANGED).latest("id").details["changes"]
    assert changes["access_lifetime"] == {"before": 2 * HOUR, "after": HOUR}


@pytest.mark.parametrize(
    "address", ["https://check.example.com/?secret=s3cret", "https://me:s3cret@check.example.com/"]
)
def test_an_address_that_may_hold_a_secret_is_not_kept(address: str) -> None:
    changes = before_and_after.differences({"identity_check_url": ""}, {"identity_check_url": address})
    assert changes == {"identity_check_url": {}}


def test_values_that_are_too_long_for_an_event_are_not_kept() -> None:
    assert before_and_after.differences({"note": ""}, {"note": "x" * 5000}) == {"note": {}}


def test_a_changed_allowlist_tells_both_lists() -> None:
    customer = factories.customer()
    for networks in ({"192.0.2.0/24": "office"}, {"198.51.100.0/24": "home"}):
        customers.replace_allowlist(customer=customer, networks=networks, context=factories.context())
    assert newest(actions.ALLOWLIST_CHANGED).details["changes"] == {
        "networks": {"before": ["192.0.2.0/24"], "after": ["198.51.100.0/24"]}
    }


def test_a_limit_and_its_end_tell_the_limit_that_counted_before() -> None:
    customer = factories.customer()
    factories.limit(customer, "codes_per_email", 7, 900)
    made = newest(actions.POLICY_CHANGED).details["changes"]["count"]
    customers.restore_limit(customer=customer, name="codes_per_email", context=factories.context())
    restored = newest(actions.POLICY_CHANGED).details["changes"]["count"]
    assert made["after"] == 7
    assert restored == {"before": 7, "after": made["before"]}


def test_a_user_is_not_named_by_the_events_of_its_changes() -> None:
    customer = factories.customer()
    role = factories.role(customer, "auditor")
    user = factories.user(customer, name="Ada Lovelace")
    changes = {"name": "Ada King", "role": role.name}
    users.change(user, changes=changes, context=factories.context())
    event = newest(actions.USER_CHANGED)
    assert event.details["changes"] == {"name": {}, "role": {"before": "company_user", "after": "auditor"}}
    assert "Ada" not in str(event.details)


def test_a_phone_is_not_told() -> None:
    user = factories.user(factories.customer())
    users.change_profile(user, changes={"phone": "+493012345678"}, context=factories.context())
    details = newest(actions.PROFILE_CHANGED).details
    assert details["changes"] == {"phone": {}}
    assert "3012345678" not in str(details)


def test_a_changed_client_and_role_tell_both_values() -> None:
    customer = factories.customer()
    client, _secret = factories.oauth_client(customer)
    clients.change(client, changes={"name": "Shop"}, context=factories.context())
    assert newest(actions.OAUTH_CLIENT_CHANGED).details["changes"] == {"name": {"before": "Test app", "after": "Shop"}}
    factories.permission(customer, "invoices.read")
    role = factories.role(customer, "auditor")
    roles.change(role, permissions=["invoices.read"], context=factories.context())
    assert newest(actions.ROLE_CHANGED).details["changes"] == {
        "permissions": {"before": [], "after": ["invoices.read"]}
    }


def test_a_changed_operator_tells_what_was_before_and_no_password() -> None:
    operator()
    browser: Client = sign_in()
    browser.post("/admin/auth/user/add/", {"email": "new@example.com", **AS_AUDITOR})
    added = newest(actions.OPERATOR_ADDED)
    assert added.details["name"] == "new@example.com"
    assert "password" not in str(added.details)

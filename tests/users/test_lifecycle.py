"""Changes to a user: allowed or not, written down, and known everywhere at once."""

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.core.errors import ValidationFailed
from apps.users import lifecycle, standing
from apps.users.models import User
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def remembered(user: User) -> standing.UserStanding:
    """As every process sees the user: by the snapshot."""
    found = standing.read(user.customer_id, user.id)
    assert found
    return found


def test_a_change_is_seen_at_once_and_written_down_without_values() -> None:
    user = factories.user(factories.customer())
    factories.permission(user.customer, "reports.read")
    assert remembered(user).role == "company_user"
    changes = {"role": "admin", "permissions": ["reports.read", "reports.read"]}
    told = lifecycle.change(user, changes=changes, actor="operator:o@x", caller=None, now=timezone.now())
    assert told.complete
    assert (remembered(user).role, remembered(user).permissions) == ("admin", ("reports.read",))
    event = Event.objects.get(action="user_changed")
    assert (event.user_id, event.actor) == (user.id, "operator:o@x")
    assert event.details == {"fields": ["permissions", "role"]}


def test_deactivating_and_reactivating_is_seen_at_once() -> None:
    user = factories.user(factories.customer())
    assert remembered(user).may_sign_in
    lifecycle.deactivate(user, actor="system", caller=None, now=timezone.now())
    assert not remembered(user).may_sign_in
    lifecycle.reactivate(user, actor="system", caller=None, now=timezone.now())
    assert remembered(user).may_sign_in
    actions = Event.objects.filter(user_id=user.id).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user_deactivated", "user_reactivated"]


@pytest.mark.parametrize("field", ["role", "status", "permissions", "email", "customer_id", "wrong_codes"])
def test_users_cannot_change_what_is_not_theirs_to_change(field: str) -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed):
        lifecycle.change_profile(user, changes={field: "admin"}, caller=None, now=timezone.now())
    user.refresh_from_db()
    assert (user.role, user.status) == ("company_user", "active")


def test_a_value_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.change_profile(user, changes={"name": "x" * 201}, caller=None, now=timezone.now())
    assert "name" in (refused.value.fields or {})
    assert User.objects.get(id=user.id).name == ""


def test_a_phone_number_is_sealed_in_the_row_and_in_the_snapshot() -> None:
    """C2.4: phone numbers are encrypted at rest, and no decrypted one is in Valkey."""
    user = factories.user(factories.customer())
    lifecycle.change_profile(user, changes={"phone": "+41 44 668 18 00"}, caller=None, now=timezone.now())
    seen = remembered(user)
    assert seen.phone() == "+41446681800"  # E.164
    assert "668" not in repr(seen)
    assert "668" not in seen.sealed_phone
    assert "668" not in User.objects.get(id=user.id).phone


def test_clearing_wrong_codes_is_written_down() -> None:
    user = factories.user(factories.customer(), wrong_codes=100)
    lifecycle.clear_wrong_codes(user, actor="operator:o@x", caller=None, now=timezone.now())
    user.refresh_from_db()
    assert user.wrong_codes == 0
    assert Event.objects.filter(action="wrong_codes_cleared", user_id=user.id).exists()

"""Changes to a user: allowed or not, written down, and known everywhere at once."""

import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.audit.models import Event
from apps.core.errors import NotFound, ValidationFailed
from apps.users import lifecycle, state
from apps.users.models import User
from tests import factories, meanwhile
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def remembered(user: User) -> state.UserState:
    """As this process sees the user."""
    found = state.read(user.customer_id, user.id)
    assert found
    return found


def test_a_change_is_seen_at_once_and_written_down() -> None:
    user = factories.user(factories.customer())
    factories.permission(user.customer, "reports.read")
    assert remembered(user).role == "company_user"
    changes = {"role": "admin", "permissions": ["reports.read", "reports.read"]}
    lifecycle.change(user, changes=changes, context=factories.context("operator:o@x"))
    assert (remembered(user).role, remembered(user).permissions) == ("admin", ("reports.read",))
    event = Event.objects.get(action="user_changed")
    assert (event.user_id, event.actor) == (user.id, "operator:o@x")
    assert event.details == {
        "fields": ["permissions", "role"],
        "changes": {
            "permissions": {"before": [], "after": ["reports.read"]},
            "role": {"before": "company_user", "after": "admin"},
        },
    }


def test_deactivating_and_reactivating_is_seen_at_once() -> None:
    user = factories.user(factories.customer())
    assert remembered(user).may_sign_in
    lifecycle.deactivate(user, context=factories.context("system"))
    assert not remembered(user).may_sign_in
    lifecycle.reactivate(user, context=factories.context("system"))
    assert remembered(user).may_sign_in
    actions = Event.objects.filter(user_id=user.id).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user_deactivated", "user_reactivated"]


@pytest.mark.parametrize(
    ("demanded", "proven", "due"),
    [
        (set(), set(), "active"),
        ({"demands_verified_email"}, set(), "pending"),
        ({"demands_verified_email"}, {"email_verified_at"}, "active"),
        ({"demands_approval"}, {"email_verified_at"}, "pending"),
        ({"demands_approval"}, {"approved_at"}, "active"),
        ({"demands_approval", "demands_verified_email"}, {"approved_at"}, "pending"),
        ({"demands_approval", "demands_verified_email"}, {"approved_at", "email_verified_at"}, "active"),
    ],
)
def test_an_account_that_is_opened_again_is_what_it_has_proven(demanded: set[str], proven: set[str], due: str) -> None:
    """C4, register: pending until what the customer demands is done. Closing and opening is no way around it."""
    demands = dict.fromkeys(("demands_verified_email", "demands_approval"), False)
    customer = factories.customer(**{**demands, **dict.fromkeys(demanded, True)})
    user = factories.user(customer, status="pending", **dict.fromkeys(proven, timezone.now()))
    lifecycle.deactivate(user, context=factories.context("system"))
    lifecycle.reactivate(user, context=factories.context("system"))
    assert User.objects.get().status == remembered(user).status == due
    assert Event.objects.get(action="user_reactivated").details == {"status": due}


def test_closing_a_closed_and_opening_an_open_account_changes_nothing() -> None:
    customer = factories.customer(demands_approval=True)
    closed, pending = factories.user(customer), factories.user(customer, "bob@example.com", status="pending")
    for _ in range(2):
        lifecycle.deactivate(closed, context=factories.context("system"))
        lifecycle.reactivate(pending, context=factories.context("system"))
    assert list(Event.objects.exclude(user_id=None).values_list("user_id", "action")) == [
        (closed.id, "user_deactivated")
    ]
    assert User.objects.get(id=pending.id).status == "pending"


@pytest.mark.parametrize("status", ["active", "pending"])
def test_who_is_made_active_by_an_operator_is_approved_by_that(status: str) -> None:
    """Else closing and opening the account would take the approval away."""
    customer = factories.customer(demands_approval=True)
    user = User(customer=customer, email="ada@example.com", email_identity="ada@example.com", status=status)
    lifecycle.register(user, context=factories.context("operator:o@x"))
    assert (User.objects.get().approved_at is not None) is (status == "active")


def test_an_address_that_was_taken_a_moment_ago_is_refused() -> None:
    taken = factories.user(factories.customer())
    user = User(customer=taken.customer, email="Ada@example.com", email_identity=taken.email_identity)
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.register(user, context=factories.context("operator:o@x"))
    assert "email" in (refused.value.fields or {})
    assert not Event.objects.filter(action="user_created").exists()


def test_an_operator_cannot_write_a_status() -> None:
    """Closing an account ends its sessions too, and opening it asks what is due."""
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed):
        lifecycle.change(user, changes={"status": "pending"}, context=factories.context("operator:o@x"))
    assert User.objects.get().status == "active"


def test_a_change_of_who_is_being_erased_is_refused_and_not_a_server_error(client_for: MakeClient) -> None:
    """C5: no input yields a 500."""
    user = factories.user(factories.customer())
    token = factories.session(user).access
    who = factories.context("system")

    def erase() -> None:
        erasure.erase(customer_id=user.customer_id, user_id=user.id, context=who)

    with meanwhile.uncommitted(erase):
        answer = client_for(None).patch("/api/auth/me", {"name": "Ada"}, token=token)
    assert (answer.status, answer.error_type) == (404, "not_found")
    assert not User.objects.exists()
    with pytest.raises(NotFound):
        lifecycle.reactivate(user, context=who)


@pytest.mark.parametrize("field", ["role", "status", "permissions", "email", "customer_id", "wrong_codes"])
def test_users_cannot_change_what_is_not_theirs_to_change(field: str) -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed):
        lifecycle.change_profile(user, changes={field: "admin"}, context=factories.context())
    user.refresh_from_db()
    assert (user.role, user.status) == ("company_user", "active")


def test_a_value_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.change_profile(user, changes={"name": "x" * 201}, context=factories.context())
    assert "name" in (refused.value.fields or {})
    assert User.objects.get(id=user.id).name == ""


def test_a_phone_number_is_sealed_in_the_row_and_in_the_snapshot() -> None:
    """C2.4: phone numbers are encrypted at rest, and no decrypted one is in Valkey."""
    user = factories.user(factories.customer())
    lifecycle.change_profile(user, changes={"phone": "+41 44 668 18 00"}, context=factories.context())
    seen = remembered(user)
    assert seen.phone() == "+41446681800"  # E.164
    assert "6681800" not in repr(seen)
    assert "6681800" not in seen.sealed_phone
    assert "6681800" not in User.objects.get(id=user.id).phone


def test_clearing_wrong_codes_is_written_down() -> None:
    user = factories.user(factories.customer(), wrong_codes=100)
    lifecycle.clear_wrong_codes(user, context=factories.context("operator:o@x"))
    user.refresh_from_db()
    assert user.wrong_codes == 0
    assert Event.objects.filter(action="wrong_codes_cleared", user_id=user.id).exists()

"""Roles and permissions of each customer's own: named, given, changed, and kept while they are in use."""

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.users import directory, lifecycle, permission_names, roles, state
from apps.users.errors import PermissionInUse, RoleInUse
from apps.users.models import Permission, Role, User
from tests import factories
from tests.races import at_once, outcome
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def acting() -> RequestContext:
    return factories.context("operator:o@x")


def may(user: User) -> tuple[str, ...]:
    found = state.read(user.customer_id, user.id)
    assert found
    return found.permissions


def test_a_user_may_what_its_role_gives_and_what_it_was_given() -> None:
    customer = factories.customer()
    factories.role(customer, "auditor", "invoices.read", "reports.read")
    factories.permission(customer, "a.first")
    user = factories.user(customer, role="auditor", permissions=["reports.read", "a.first"])
    assert may(user) == ("a.first", "invoices.read", "reports.read")
    assert state.of(user).permissions == may(user)


def test_a_built_in_role_needs_no_row_and_can_be_given_more() -> None:
    customer = factories.customer()
    user = factories.user(customer)
    assert (may(user), roles.names_of(customer.id)) == ((), ["admin", "company_user"])
    row = factories.role(customer, "company_user", "invoices.read")
    assert may(user) == ("invoices.read",)
    assert roles.names_of(customer.id) == ["admin", "company_user"]
    roles.delete(row, context=acting())  # the role stays, and gives nothing more
    assert may(user) == ()
    lifecycle.change(user, changes={"role": "admin"}, context=acting())


def test_a_role_is_its_own_customers_alone() -> None:
    """C1.5: the same name at another customer is another role, or none."""
    one, other = factories.customer(), factories.customer()
    factories.role(one, "auditor", "invoices.read")
    theirs = factories.user(other, role="auditor")
    assert may(theirs) == ()
    with pytest.raises(ValidationFailed):
        lifecycle.change(theirs, changes={"role": "auditor"}, context=acting())
    with pytest.raises(ValidationFailed):
        lifecycle.change(theirs, changes={"permissions": ["invoices.read"]}, context=acting())
    with pytest.raises(ValidationFailed):
        roles.create(customer_id=other.id, name="x", permissions=["invoices.read"], context=acting())
    factories.role(other, "auditor")


def test_a_changed_role_counts_at_once_and_is_written_down() -> None:
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read", "reports.read")
    user = factories.user(customer, role="auditor")
    assert may(user) == ("invoices.read", "reports.read")
    roles.change(row, permissions=["reports.read"], context=acting())
    assert may(user) == ("reports.read",)
    event = Event.objects.filter(action="role_changed").latest("id")
    changes = {"permissions": {"before": ["invoices.read", "reports.read"], "after": ["reports.read"]}}
    assert event.details == {
        "role": "auditor",
        "what": "changed",
        "permissions": ["reports.read"],
        "changes": changes,
    }
    assert (event.customer_id, event.actor) == (customer.id, "operator:o@x")


def test_what_is_in_use_cannot_be_deleted() -> None:
    customer, other = factories.customer(), factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    user = factories.user(customer, role="auditor")
    factories.user(other, role="auditor")  # another customer's is not in the way
    permission = Permission.objects.get()
    with pytest.raises(RoleInUse):
        roles.delete(row, context=acting())
    with pytest.raises(PermissionInUse):
        permission_names.delete(permission, context=acting())
    lifecycle.change(user, changes={"role": "company_user", "permissions": ["invoices.read"]}, context=acting())
    roles.delete(row, context=acting())
    with pytest.raises(PermissionInUse):
        permission_names.delete(permission, context=acting())
    lifecycle.change(user, changes={"permissions": []}, context=acting())
    permission_names.delete(permission, context=acting())
    assert not Role.objects.exists()
    assert not Permission.objects.exists()


def test_nobody_is_left_with_a_role_that_is_deleted_at_that_moment() -> None:
    """If a role is given and deleted at once, one of the two is refused."""
    for _ in range(8):
        customer = factories.customer()
        row = factories.role(customer, "auditor", "invoices.read")
        user = factories.user(customer)

        def act(number: int, row: Role = row, user: User = user) -> str:
            if number:
                return outcome(lambda: roles.delete(row, context=acting()))
            return outcome(lambda: lifecycle.change(user, changes={"role": "auditor"}, context=acting()))

        assert sorted(at_once(2, act)) in (["RoleInUse", "done"], ["ValidationFailed", "done"])
        user.refresh_from_db()
        assert user.role in roles.names_of(customer.id)


@pytest.mark.parametrize("name", ["", "Auditor", "1st", "a-b", "a.b", "a" * 65, "a\n", "admin user", "a\0", "\ud800"])
def test_names_of_roles_are_plain(name: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        roles.create(customer_id=factories.customer().id, name=name, context=acting())
    assert "name" in (refused.value.fields or {})


@pytest.mark.parametrize("name", ["", "Invoices.read", "a..b", ".a", "a.", "a:b", "a" * 65, "a.b\n", "a b"])
def test_names_of_permissions_are_plain(name: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        permission_names.create(customer_id=factories.customer().id, name=name, context=acting())
    assert "name" in (refused.value.fields or {})


def test_a_name_is_taken_once_by_each_customer() -> None:
    one, other = factories.customer(), factories.customer()

    def make(number: int) -> str:
        of = (one, other)[number % 2]
        return outcome(lambda: roles.create(customer_id=of.id, name="auditor", context=acting()))

    made = at_once(16, make)
    assert (made.count("done"), made.count("ValidationFailed")) == (2, 14)


@pytest.mark.parametrize(
    "names", ["invoices.read", {"invoices.read": 1}, [1], [["a"]], None, ["a\0"], ["\ud800"], ["no"]]
)
def test_permissions_that_are_none_are_refused(names: object) -> None:
    customer = factories.customer()
    factories.permission(customer, "invoices.read")
    user = factories.user(customer)
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.change(user, changes={"permissions": names}, context=acting())
    assert list(refused.value.fields or {}) == ["permissions"]
    assert User.objects.get(id=user.id).permissions == []


@pytest.mark.parametrize("role", ["", "root", "Admin", "a\0", None, 7, ["admin"]])
def test_roles_that_are_none_are_refused(role: object) -> None:
    user = factories.user(factories.customer())
    with pytest.raises(ValidationFailed) as refused:
        lifecycle.change(user, changes={"role": role}, context=acting())
    assert list(refused.value.fields or {}) == ["role"]


def test_an_operator_adds_no_user_with_a_role_that_is_none() -> None:
    customer = factories.customer()
    user = User(customer=customer, email="a@example.com", email_identity="a@example.com", role="root")
    with pytest.raises(ValidationFailed):
        lifecycle.register(user, context=acting())
    assert not User.objects.exists()


def test_a_role_gives_no_more_than_a_token_can_hold(client_for: object) -> None:
    """C3.9: a token is at most 8 KiB long; one that names all permissions, of role and user, still is accepted."""
    customer = factories.customer()
    many = [f"{'x' * 40}.number_{number:02}" for number in range(60)]
    Permission.objects.bulk_create([Permission(customer=customer, name=name) for name in many])
    with pytest.raises(ValidationFailed):
        roles.create(customer_id=customer.id, name="auditor", permissions=many, context=acting())
    roles.create(customer_id=customer.id, name="auditor", permissions=many[:28], context=acting())
    user = directory.create(
        customer.id, factories.emails.parse("ö" * 200 + "@" + "x" * 40 + ".example"), now=timezone.now()
    )
    lifecycle.change(user, changes={"role": "auditor", "permissions": many[40:49]}, context=acting())
    token = factories.session(user).access
    assert len(token) < 8192
    me = client_for(None).get("/api/auth/me", token=token)  # type: ignore[operator]
    assert len(me.document["permissions"]) == 37


def test_many_roles_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "MOST", 1)
    monkeypatch.setattr(permission_names, "MOST", 1)
    customer = factories.customer()
    factories.role(customer, "auditor", "invoices.read")
    with pytest.raises(ValidationFailed):
        factories.role(customer, "other")
    with pytest.raises(ValidationFailed):
        factories.permission(customer, "other")
    factories.role(factories.customer(), "auditor")


def test_a_user_who_is_remembered_costs_nothing() -> None:
    user = factories.user(factories.customer())
    may(user)
    with counted() as cost:
        may(user)
    assert (cost.statements, cost.round_trips) == ([], 0)
    other = factories.user(user.customer, "bob@example.com")
    with counted() as filling:
        may(other)
    assert len(filling.statements) == 1  # of the user alone: the table of roles is known


def test_without_valkey_postgresql_says_what_a_role_gives(valkey_away: object) -> None:
    """C3.4: Valkey may vanish."""
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    user = factories.user(customer, role="auditor")
    valkey_away.kill()  # type: ignore[attr-defined]
    assert may(user) == ("invoices.read",)
    roles.change(row, permissions=[], context=acting())
    assert may(user) == ()

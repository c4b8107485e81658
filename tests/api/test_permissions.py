"""The guards of endpoints: who gets in, who is refused, and which refusals are security events."""

import pytest

from apps.audit.models import Event
from apps.users.models import User
from demo.client import Answer
from tests import factories
from tests.api.guarded_urls import GUARDS
from tests.conftest import MakeClient
from tests.roundtrips import counted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.guarded_urls")]
ESCALATION = "role_escalation_attempt"

# Who gets in: nothing given, the permission by its role, the role `auditor`, the role `admin`, an admin with the permission.
LET_IN = {
    "admin": ("admin", "admin+"),
    "auditor": ("auditor",),
    "invoices": ("reader", "admin+"),
    "both": ("admin+",),
    "either": ("reader", "admin", "admin+"),
    "either-or-auditor": ("reader", "auditor", "admin", "admin+"),
    "nested": ("auditor", "admin+"),
    "signed-in-and": ("admin", "admin+"),
    "and-signed-in": ("admin", "admin+"),
    "or-never": ("admin", "admin+"),
    "never-or": ("admin", "admin+"),
    "or-always": ("nobody", "reader", "auditor", "admin", "admin+"),
    "and-never": (),
}


def everybody() -> dict[str, User]:
    customer = factories.customer()
    factories.role(customer, "reader", "invoices.read")
    factories.role(customer, "auditor")
    facts: dict[str, dict[str, object]] = {
        "nobody": {},
        "reader": {"role": "reader"},
        "auditor": {"role": "auditor"},
        "admin": {"role": "admin"},
        "admin+": {"role": "admin", "permissions": ["invoices.read"]},
    }
    return {name: factories.user(customer, f"{name}@example.com", **fact) for name, fact in facts.items()}


def enter(client_for: MakeClient, user: User, guard: str, method: str = "GET") -> Answer:
    return client_for(None).with_token(method, f"/guarded/{guard}", token=factories.session(user).access)


def test_every_guard_lets_in_the_users_that_it_names_and_nobody_else(client_for: MakeClient) -> None:
    assert LET_IN.keys() == GUARDS.keys()
    users = everybody()
    for guard, names in LET_IN.items():
        answers = {name: enter(client_for, user, guard) for name, user in users.items()}
        assert (guard, tuple(name for name, answer in answers.items() if answer.status == 200)) == (guard, names)
        refused = {answer.error_type for answer in answers.values() if answer.status != 200}
        assert refused <= {"permission_denied"}
        assert {answer.status for answer in answers.values()} <= {200, 403}
        assert all(answer.encrypted for answer in answers.values())


@pytest.mark.parametrize("guard", GUARDS)
def test_nobody_gets_in_without_signing_in(client_for: MakeClient, guard: str) -> None:
    """Each guard implies that somebody is signed in; only what is open by itself stays open."""
    answer = client_for(None).call("GET", f"/guarded/{guard}")
    expected = 200 if guard == "or-always" else 401
    assert answer.status == expected


def test_methods_have_guards_of_their_own(client_for: MakeClient) -> None:
    users = everybody()
    allowed = {
        method: [name for name, user in users.items() if enter(client_for, user, "by-method", method).status == 200]
        for method in ("GET", "POST", "PATCH")
    }
    assert allowed["GET"] == list(users)
    assert allowed["POST"] == ["admin", "admin+"]
    assert allowed["PATCH"] == ["reader", "admin+"]


@pytest.mark.parametrize("guard", ["admin", "both", "either", "signed-in-and", "never-or", "or-never"])
def test_reaching_for_the_role_admin_is_a_security_event(client_for: MakeClient, guard: str) -> None:
    """C4: without the role 403 permission_denied, and a role_escalation_attempt; once a minute for each user."""
    users = everybody()
    for name in ("nobody", "nobody", "auditor", "nobody"):
        assert enter(client_for, users[name], guard).status == 403
    events = Event.objects.filter(action=ESCALATION).order_by("id")
    assert [event.user_id for event in events] == [users["nobody"].id, users["auditor"].id]
    first = events[0]
    assert (first.severity, first.outcome, first.customer_id) == ("high", "denied", users["nobody"].customer_id)
    assert (first.actor, first.ip) == (f"user:{users['nobody'].id}", "192.0.2.7")
    assert first.details == {"role": "company_user", "wanted": "admin"}


def test_reaching_for_the_role_admin_by_a_guarded_method_is_a_security_event_too(client_for: MakeClient) -> None:
    enter(client_for, everybody()["nobody"], "by-method", "POST")
    assert Event.objects.filter(action=ESCALATION).count() == 1


def test_a_user_who_is_let_in_for_another_reason_has_attempted_nothing(client_for: MakeClient) -> None:
    users = everybody()
    for guard in ("either", "either-or-auditor"):
        assert enter(client_for, users["reader"], guard).status == 200
    assert enter(client_for, users["auditor"], "either-or-auditor").status == 200
    assert enter(client_for, users["nobody"], "or-always").status == 200
    assert enter(client_for, users["admin"], "both").status == 403  # an admin who lacks something else
    assert enter(client_for, users["nobody"], "auditor").status == 403
    assert enter(client_for, users["nobody"], "invoices").status == 403
    assert not Event.objects.filter(action=ESCALATION).exists()


def test_a_user_who_waits_to_be_approved_may_do_nothing_yet(client_for: MakeClient) -> None:
    """C4, register: a pending user signs in, but its role and permissions do not count."""
    users = everybody()
    User.objects.update(status="pending")
    assert enter(client_for, users["admin"], "admin").error_type == "permission_denied"
    assert enter(client_for, users["reader"], "invoices").error_type == "permission_denied"


def test_a_guard_costs_no_query(client_for: MakeClient) -> None:
    pair = factories.session(everybody()["reader"])
    client = client_for(None)
    client.get("/guarded/invoices", token=pair.access)
    with counted() as cost:
        assert client.get("/guarded/either", token=pair.access).status == 200
    assert (cost.statements, cost.round_trips) == ([], 0)


def test_the_log_is_not_filled_without_valkey(client_for: MakeClient, valkey_away: object) -> None:
    users = everybody()
    valkey_away.kill()  # type: ignore[attr-defined]
    assert enter(client_for, users["nobody"], "admin").error_type == "permission_denied"
    assert not Event.objects.filter(action=ESCALATION).exists()

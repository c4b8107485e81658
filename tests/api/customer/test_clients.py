"""`/api/customer/clients`: a customer's administrators register its OAuth clients (contract 4, hosted sign-in)."""

from typing import Any

import pytest

from apps.audit import actions
from apps.audit.models import Event
from apps.core.ids import new_id
from apps.customers.models import Customer
from apps.oauth import clients
from apps.oauth.models import RegisteredClient
from apps.users.models import User
from demo.client import Answer
from tests import factories
from tests.oauth.exchanging import anybody, code_for, exchange, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/customer/clients"
WEB: dict[str, Any] = {"name": "Web", "confidential": True, "redirect_uris": [factories.REDIRECT_URI]}


@pytest.fixture
def customer() -> Customer:
    return factories.customer(algorithm="ES256")


@pytest.fixture
def admin(customer: Customer) -> User:
    return factories.user(customer, "admin@example.com", role="admin")


def call(who: User, method: str, path: str = PATH, document: Any = None) -> Answer:
    return anybody().with_token(method, path, document, token=factories.session(who).access)


def test_a_client_is_registered_shown_changed_and_deleted(customer: Customer, admin: User) -> None:
    made = call(admin, "POST", PATH, WEB)
    assert made.status == 201
    row, secret = RegisteredClient.objects.of(customer.id).get(), made.document["client_secret"]
    assert exchange(row, code_for(row, admin), client_secret=secret).status == 200
    shown = call(admin, "GET", f"{PATH}/{row.id}").document
    assert shown == {name: value for name, value in made.document.items() if name != "client_secret"}
    assert call(admin, "GET").document["results"] == [shown]
    changed = call(admin, "PATCH", f"{PATH}/{row.id}", {"name": "Site", "scopes": ["openid"]})
    assert (changed.document["name"], changed.document["scopes"]) == ("Site", ["openid"])
    rotated = call(admin, "POST", f"{PATH}/{row.id}/rotate-secret", {"overlap": 60}).document["client_secret"]
    assert rotated != secret
    off = call(admin, "PATCH", f"{PATH}/{row.id}", {"active": False})
    assert off.document["active"] is False
    assert call(admin, "PATCH", f"{PATH}/{row.id}", {"active": True}).document["active"] is True
    assert call(admin, "DELETE", f"{PATH}/{row.id}").status == 200
    assert call(admin, "GET", f"{PATH}/{row.id}").error_type == "not_found"
    done = Event.objects.of(customer.id).filter(action__startswith="oauth_client").order_by("id")
    assert [event.action for event in done] == [
        actions.OAUTH_CLIENT_CREATED,
        actions.OAUTH_CLIENT_CHANGED,
        actions.OAUTH_CLIENT_SECRET_ROTATED,
        actions.OAUTH_CLIENT_DISABLED,
        actions.OAUTH_CLIENT_ENABLED,
        actions.OAUTH_CLIENT_DELETED,
    ]
    assert {event.actor for event in done} == {f"user:{admin.id}"}


def test_a_public_client_has_no_secret(customer: Customer, admin: User) -> None:
    made = call(admin, "POST", PATH, {**WEB, "confidential": False}).document
    assert "client_secret" not in made
    refused = call(admin, "POST", f"{PATH}/{made['id']}/rotate-secret", {})
    assert (refused.status, refused.error_type) == (400, "validation_error")


@pytest.mark.parametrize("status", ["active", "pending"])
def test_only_administrators_may(customer: Customer, status: str) -> None:
    """C4: 403 `permission_denied`, and a `role_escalation_attempt`; before anything is looked up."""
    role = "company_user" if status == "active" else "admin"  # a pending administrator is none yet
    eve = factories.user(customer, "eve@example.com", role=role, status=status)
    client, _ = factories.oauth_client(customer)
    for method, path, document in (
        ("GET", PATH, None),
        ("POST", PATH, WEB),
        ("GET", f"{PATH}/{client.id}", None),
        ("PATCH", f"{PATH}/{client.id}", {"name": "Mine"}),
        ("DELETE", f"{PATH}/{client.id}", None),
        ("POST", f"{PATH}/{client.id}/rotate-secret", {}),
        ("GET", f"{PATH}/{new_id()}", None),
    ):
        refused = call(eve, method, path, document)
        assert (refused.status, refused.error_type) == (403, "permission_denied")
    assert RegisteredClient.objects.get().name == "Test app"
    assert Event.objects.filter(action=actions.ROLE_ESCALATION_ATTEMPT).count() == (1 if role != "admin" else 0)


def test_another_customers_clients_are_not_there(customer: Customer, admin: User) -> None:
    """C1.5"""
    other = factories.customer()
    foreign, _ = factories.oauth_client(other, is_confidential=True)
    assert call(admin, "GET").document["results"] == []
    for method, path, document in (
        ("GET", f"{PATH}/{foreign.id}", None),
        ("PATCH", f"{PATH}/{foreign.id}", {"active": False}),
        ("DELETE", f"{PATH}/{foreign.id}", None),
        ("POST", f"{PATH}/{foreign.id}/rotate-secret", {}),
    ):
        assert call(admin, method, path, document).error_type == "not_found"
    foreign.refresh_from_db()
    assert foreign.is_active


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://app.example.com/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://*.example.com/cb"]}, "redirect_uris"),
        ({"redirect_uris": [factories.REDIRECT_URI + "\n"]}, "redirect_uris"),
        ({"redirect_uris": 51 * [factories.REDIRECT_URI]}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "post_logout_redirect_uris"),
        ({"scopes": ["admin"]}, "scopes.0"),
        ({"scopes": ["openid", "openid"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "a\u202eb"}, "name"),
    ],
)
def test_what_is_unsafe_is_refused(customer: Customer, admin: User, changes: dict[str, Any], field: str) -> None:
    client, _ = factories.oauth_client(customer)
    for answer in (
        call(admin, "POST", PATH, {**WEB, **changes}),
        call(admin, "PATCH", f"{PATH}/{client.id}", changes),
    ):
        assert (answer.status, answer.error_type) == (400, "validation_error")
        assert field in answer.document["error"]["fields"]
    assert RegisteredClient.objects.count() == 1


def test_a_customer_has_a_bounded_number_of_clients(
    customer: Customer, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST", 2)
    made = [call(admin, "POST", PATH, WEB).status for _ in range(3)]
    assert made == [201, 201, 400]
    page = call(admin, "GET", f"{PATH}?limit=1").document
    assert len(page["results"]) == 1
    rest = call(admin, "GET", f"{PATH}?cursor={page['next']}").document
    assert len(rest["results"]) == 1
    assert rest["next"] is None


def test_disabling_takes_effect_with_the_answer(customer: Customer, admin: User) -> None:
    """C3.4"""
    client, _ = factories.oauth_client(customer)
    token = signed_in(client, admin)["access_token"]
    call(admin, "PATCH", f"{PATH}/{client.id}", {"active": False})
    assert anybody().get("/api/auth/me", token=token).error_type == "session_ended"

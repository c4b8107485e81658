"""What a user may do is what its role gives at this moment: on the next request, whatever its token says."""

import jwt
import pytest

from apps.core.context import RequestContext
from apps.users import lifecycle, roles
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def acting() -> RequestContext:
    return factories.context("operator:o@x")


def claims(token: str) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_a_changed_role_takes_effect_on_the_next_request(client_for: MakeClient) -> None:
    """C3.3, C3.4: role and permissions as they are now, not as the token says."""
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read", "reports.read")
    user = factories.user(customer, role="auditor")
    token, client = factories.session(user).access, client_for(None)

    def may() -> list[str]:
        permissions: list[str] = client.get("/api/auth/me", token=token).document["permissions"]
        return permissions

    assert may() == ["invoices.read", "reports.read"]
    roles.change(row, permissions=["reports.read"], context=acting())
    assert may() == ["reports.read"]
    lifecycle.change(user, changes={"role": "company_user", "permissions": ["invoices.read"]}, context=acting())
    assert may() == ["invoices.read"]
    assert claims(token)["permissions"] == ["invoices.read", "reports.read"]  # outdated, and ignored


def test_tokens_and_their_answers_bear_the_effective_permissions(client_for: MakeClient) -> None:
    """C3.1, C4: in the token answer, in the claims, and again in those of a refresh."""
    from tests.otp.reading import newest_code

    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    factories.permission(customer, "a.first")
    factories.user(customer, role="auditor", permissions=["a.first"])
    client = client_for(customer)
    client.request_otp("ada@example.com")
    answer = client.verify_otp("ada@example.com", newest_code()).document
    wanted = ["a.first", "invoices.read"]
    assert answer["user"]["permissions"] == claims(answer["access_token"])["permissions"] == wanted
    roles.change(row, permissions=[], context=acting())
    fresh = client.refresh(answer["refresh_token"]).document
    assert claims(fresh["access_token"])["permissions"] == ["a.first"]


def test_who_has_a_role_costs_no_more_to_know(client_for: MakeClient) -> None:
    """The roles are remembered beside customer, session and user."""
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    pair, client = factories.session(factories.user(customer, role="auditor")), client_for(None)
    client.get("/api/auth/me", token=pair.access)
    with counted() as cost:
        assert client.get("/api/auth/me", token=pair.access).document["permissions"] == ["invoices.read"]
    assert (cost.statements, cost.round_trips) == ([], 0)
    roles.change(row, permissions=[], context=acting())
    with counted() as cost:
        assert client.get("/api/auth/me", token=pair.access).document["permissions"] == []
    assert len(cost.statements) == 1  # the table of roles alone is read again


def test_the_profile_of_a_user_with_a_role_keeps_its_permissions(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.role(customer, "auditor", "invoices.read")
    user = factories.user(customer, role="auditor")
    changes = {"name": "Ada", "phone": "+49 151 12345678"}
    answer = client_for(None).patch("/api/auth/me", changes, token=factories.session(user).access).document
    assert (answer["permissions"], answer["name"], answer["phone"]) == (["invoices.read"], "Ada", "+4915112345678")
    assert User.objects.get().permissions == []


def test_without_valkey_a_changed_role_still_takes_effect(client_for: MakeClient, valkey_away: object) -> None:
    """C3.4: PostgreSQL is the truth, and Valkey comes back with nothing older."""
    customer = factories.customer()
    row = factories.role(customer, "auditor", "invoices.read")
    token, client = factories.session(factories.user(customer, role="auditor")).access, client_for(None)
    assert client.get("/api/auth/me", token=token).document["permissions"] == ["invoices.read"]
    valkey_away.kill()  # type: ignore[attr-defined]
    roles.change(row, permissions=[], context=acting())
    assert client.get("/api/auth/me", token=token).document["permissions"] == []
    valkey_away.start()  # type: ignore[attr-defined]
    assert client.get("/api/auth/me", token=token).document["permissions"] == []

"""Service to service: how a user of the key's customer stands now (contract 4, `internal/verify-user`)."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.api_keys.models import Scope
from apps.users import lifecycle as users
from apps.users.models import UserStatus
from tests import factories
from tests.api.servers import FORM, MALFORMED, MALFORMED_NAMES, VERIFY_USER, Server
from tests.conftest import MakeClient
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


class Scene:
    """The same address under two customers, and a server of each."""

    def __init__(self) -> None:
        self.customer, self.other = factories.customer(), factories.customer()
        self.user = factories.user(self.customer, name="Ada", locale="de", email_verified_at=timezone.now())
        self.other_user = factories.user(self.other)
        self.server, self.other_server = Server(self.customer), Server(self.other)

    def ask(self, **fields: Any) -> dict[str, Any]:
        answer = self.server.post(VERIFY_USER, fields)
        assert answer.status == 200, answer
        return dict(answer.document)

    def change(self, **changes: Any) -> None:
        users.change(self.user, changes=changes, context=factories.context("operator:x"))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_user_is_described_as_it_is(scene: Scene) -> None:
    expected = {
        "id": str(scene.user.id),
        "email": "ada@example.com",
        "name": "Ada",
        "role": "company_user",
        "permissions": [],
        "status": "active",
        "customer_id": str(scene.customer.id),
        "active": True,
        "email_verified": True,
        "locale": "de",
    }
    assert scene.ask(user_id=str(scene.user.id)) == expected
    assert scene.ask(email="ADA@example.com ") == expected
    by_form = scene.server.post_form(VERIFY_USER, ("email", "ada@example.com"))
    assert by_form.document == expected


def test_every_change_is_seen_at_once(scene: Scene) -> None:
    """C3.4: role, permissions of the role and of the user, status."""
    scene.ask(user_id=str(scene.user.id))
    factories.role(scene.customer, "auditor", "invoices.read")
    factories.permission(scene.customer, "invoices.pay")
    scene.change(role="auditor", permissions=["invoices.pay"])
    for which in ({"user_id": str(scene.user.id)}, {"email": "ada@example.com"}):
        found = scene.ask(**which)
        assert (found["role"], found["permissions"]) == ("auditor", ["invoices.pay", "invoices.read"])
    users.deactivate(scene.user, context=factories.context("operator:x"))
    for which in ({"user_id": str(scene.user.id)}, {"email": "ada@example.com"}):
        assert (scene.ask(**which)["status"], scene.ask(**which)["active"]) == ("deactivated", False)


def test_a_pending_user_is_not_active(scene: Scene) -> None:
    factories.user(scene.customer, "bob@example.com", status=UserStatus.PENDING)
    assert (scene.ask(email="bob@example.com")["status"], scene.ask(email="bob@example.com")["active"]) == (
        "pending",
        False,
    )


def test_another_customers_user_is_not_found(scene: Scene) -> None:
    """C1.5: not by id, and not by an address that only the other customer has."""
    factories.user(scene.other, "only@example.com")
    unknown = [
        {"user_id": str(scene.other_user.id)},
        {"user_id": str(uuid4())},
        {"email": "only@example.com"},
        {"email": "nobody@example.com"},
    ]
    for which in unknown:
        answer = scene.server.post(VERIFY_USER, which)
        assert (answer.status, answer.error_type) == (404, "not_found")
    assert scene.ask(email="ada@example.com")["id"] == str(scene.user.id)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"user_id": "01900000-0000-7000-8000-000000000001", "email": "ada@example.com"},
        {"user_id": ""},
        {"user_id": "x"},
        {"user_id": None},
        {"user_id": -1},
        {"user_id": ["01900000-0000-7000-8000-000000000001"]},
        {"email": ""},
        {"email": "nonsense"},
        {"email": "a\0@example.com"},
        {"email": {"a": 1}},
        {"email": None},
        {"email": "a" * 10_000 + "@example.com"},
        {"name": "Ada"},
    ],
)
def test_exactly_one_of_id_and_email_must_be_given(scene: Scene, fields: dict[str, Any]) -> None:
    answer = scene.server.post(VERIFY_USER, fields)
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert answer.document["error"]["fields"]


@pytest.mark.parametrize(("body", "media_type"), MALFORMED, ids=MALFORMED_NAMES)
def test_a_malformed_request_is_told_so_in_the_one_form(scene: Scene, body: bytes, media_type: str) -> None:
    """C5: bad input is always a 4xx."""
    answer = scene.server.send(VERIFY_USER, body, content_type=media_type)
    assert (answer.status, answer.error_type) in {(400, "malformed_request"), (400, "validation_error")}


def test_only_a_key_with_the_scope_may_ask(scene: Scene, client_for: MakeClient) -> None:
    """C1.3: scope `internal`."""
    bare = client_for(None).call("POST", VERIFY_USER, b'{"email": "ada@example.com"}')
    assert (bare.status, bare.error_type) == (401, "api_key_required")
    scopes = [scope for scope in Scope.values if scope != Scope.INTERNAL]
    weak = Server(scene.customer, scopes).post(VERIFY_USER, {"email": "ada@example.com"})
    assert (weak.status, weak.error_type) == (403, "permission_denied")
    assert scene.server.send(VERIFY_USER, b"email=ada%40example.com", content_type=FORM).status == 200


def test_by_id_it_costs_nothing_when_all_is_remembered(scene: Scene) -> None:
    scene.ask(user_id=str(scene.user.id))
    with counted() as cost:
        scene.ask(user_id=str(scene.user.id))
    assert (cost.statements, cost.round_trips) == ([], 0)

"""`/api/auth/me`: a user reads and changes their own account."""

import pytest

from apps.audit.models import Event
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_me_is_the_user_as_it_is_now(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    answer = client_for(None).get("/api/auth/me", token=factories.session(user).access)
    assert answer.encrypted
    assert answer.headers["cache-control"] == "no-store"
    assert answer.document["id"] == str(user.id)
    assert answer.document["email"] == "ada@example.com"
    assert answer.document["customer_id"] == str(customer.id)


def test_the_profile_can_be_changed(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    client, token = client_for(None), factories.session(user).access
    changes = {"name": "Ada", "locale": "de", "phone": "+4915112345678"}
    answer = client.patch("/api/auth/me", changes, token=token)
    assert answer.status == 200
    assert changes.items() <= answer.document.items()
    assert changes.items() <= client.get("/api/auth/me", token=token).document.items()
    user.refresh_from_db()
    assert "4915112345678" not in user.phone  # sealed at rest
    assert Event.objects.get(action="profile_changed").details == {
        "fields": ["locale", "name", "phone"],
        "changes": {"locale": {"before": "", "after": "de"}, "name": {}, "phone": {}},  # what is personal is not said
    }
    assert client.patch("/api/auth/me", {"phone": ""}, token=token).document["phone"] == ""


@pytest.mark.parametrize(
    "body",
    [{"name": "x" * 201}, {"phone": "12"}, {"locale": "tlh"}, {"name": "a\0b"}, {"name": {"a": 1}}, {"name": None}],
)
def test_a_bad_profile_changes_nothing(client_for: MakeClient, body: dict[str, object]) -> None:
    user = factories.user(factories.customer(), name="Ada")
    client, token = client_for(None), factories.session(user).access
    answer = client.patch("/api/auth/me", body, token=token)
    assert (answer.status, answer.error_type, answer.encrypted) == (400, "validation_error", True)
    assert list(answer.document["error"]["fields"]) == list(body)
    assert User.objects.get().name == "Ada"


def test_role_and_status_cannot_be_changed_by_the_user(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    token = factories.session(user).access
    answer = client_for(None).patch("/api/auth/me", {"role": "admin", "status": "x", "email": "y@z.de"}, token=token)
    assert answer.document["role"] == "company_user"

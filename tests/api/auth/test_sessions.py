"""`/api/auth/sessions`: a user sees their own sessions, and ends them."""

from uuid import uuid4

import pytest

from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_sessions_are_listed_and_ended(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    here = factories.session(user)
    there = factories.session(user, ip="198.51.100.4", user_agent=FIREFOX)
    client = client_for(None)
    page = client.get("/api/auth/sessions", token=here.access).document
    assert page["next"] is None
    assert [row["current"] for row in page["results"]] == [False, True]
    other = page["results"][0]
    assert (other["device"], other["address"]) == ("Firefox on Linux", "198.51.100.4")
    assert client.delete(f"/api/auth/sessions/{other['id']}", token=here.access).status == 200
    assert client.get("/api/auth/me", token=there.access).error_type == "session_ended"
    assert client.delete(f"/api/auth/sessions/{other['id']}", token=here.access).status == 404


def test_all_others_are_ended_at_once(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    here, *others = (factories.session(user) for _ in range(3))
    client = client_for(None)
    answer = client.delete("/api/auth/sessions", token=here.access)
    assert answer.document == {"message": "Other sessions ended", "ended": 2}
    assert [client.get("/api/auth/me", token=pair.access).status for pair in others] == [401, 401]
    assert client.get("/api/auth/me", token=here.access).status == 200


def test_the_only_session_has_no_others_to_end(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    answer = client_for(None).delete("/api/auth/sessions", token=pair.access)
    assert (answer.status, answer.document) == (200, {"message": "Other sessions ended", "ended": 0})
    assert client_for(None).get("/api/auth/me", token=pair.access).status == 200


def test_nobody_ends_anothers_session(client_for: MakeClient) -> None:
    """C1.5: not those of another user, and not those of another customer."""
    customer = factories.customer()
    mine = factories.session(factories.user(customer))
    colleague = factories.session(factories.user(customer, "bob@example.com"))
    stranger = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    for theirs in (colleague, stranger):
        answer = client.delete(f"/api/auth/sessions/{theirs.session_id}", token=mine.access)
        assert (answer.status, answer.error_type) == (404, "not_found")
        assert client.get("/api/auth/me", token=theirs.access).status == 200
    assert client.delete(f"/api/auth/sessions/{uuid4()}", token=mine.access).status == 404


def test_pages_of_sessions_follow_one_another(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    pairs = [factories.session(user) for _ in range(5)]
    client, token = client_for(None), pairs[0].access
    first = client.get("/api/auth/sessions?limit=3", token=token).document
    second = client.get(f"/api/auth/sessions?limit=3&cursor={first['next']}", token=token).document
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == [str(pair.session_id) for pair in reversed(pairs)]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=²", "cursor=!", "cursor=AAAA", "cursor=é"])
def test_bad_pages_are_refused(client_for: MakeClient, query: str) -> None:
    from urllib.parse import quote

    token = factories.session(factories.user(factories.customer())).access
    answer = client_for(None).get(f"/api/auth/sessions?{quote(query, safe='=')}", token=token)
    assert (answer.status, answer.error_type) == (400, "validation_error")

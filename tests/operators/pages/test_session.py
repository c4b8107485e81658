"""Operators end one session or many at once; some of them may end by themselves meanwhile."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.tokens.models import Session
from tests import factories, meanwhile
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_sessions_are_ended(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    one, two = factories.session(user), factories.session(user)
    assert browser.get(f"/admin/tokens/session/{one.session_id}/end/").status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 2
    browser.post(f"/admin/tokens/session/{one.session_id}/end/")
    selection = {"action": "end_selected", "_selected_action": [str(two.session_id)]}
    asked = browser.post("/admin/tokens/session/", selection).content.decode()
    assert "End 1 session?" in asked
    assert str(two.session_id) in asked
    assert Session.objects.filter(ended_at=None).count() == 1
    browser.post("/admin/tokens/session/", {**selection, "confirmed": "yes"})
    for pair in (one, two):
        assert client_for(None).get("/api/auth/me", token=pair.access).error_type == "session_ended"


def end_selected(browser: Client, *ids: object) -> str:
    selection = {"action": "end_selected", "_selected_action": [str(each) for each in ids], "confirmed": "yes"}
    answer = browser.post("/admin/tokens/session/", selection, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_session_that_ends_by_itself_meanwhile_leaves_no_other_alive(browser: Client) -> None:
    user = factories.user(factories.customer())
    ids = [factories.session(user).session_id for _ in range(3)]
    middle = Session.objects.filter(id=sorted(ids)[1])

    def sign_out() -> None:
        middle.update(ended_at=timezone.now(), end_reason="logout")

    with meanwhile.uncommitted(sign_out):
        page = end_selected(browser, *ids)
    assert "2 sessions ended." in page
    assert not Session.objects.filter(ended_at=None).exists()
    assert middle.get().end_reason == "logout"
    assert Event.objects.filter(action="session_ended").count() == 2


def test_what_has_ended_already_is_not_ended_again(browser: Client) -> None:
    user = factories.user(factories.customer())
    ids = [factories.session(user).session_id for _ in range(2)]
    end_selected(browser, ids[0])
    assert "1 session ended." in end_selected(browser, *ids)
    assert Event.objects.filter(action="session_ended").count() == 2

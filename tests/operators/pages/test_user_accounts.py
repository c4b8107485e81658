"""Closing, opening and making accounts in the operators' admin."""

import pytest
from django.contrib.auth.models import Permission as Right
from django.test import Client

from apps.accounts import erasure
from apps.audit.models import Event
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories, meanwhile
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.saving import save
from tests.operators.signing_in import operator, sign_in
from tests.otp.reading import newest_code

pytestmark = pytest.mark.django_db(transaction=True)
PROFILE = {"name": "Ada", "locale": "", "role": "company_user"}


def shown(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_deactivating_asks_first_and_signs_the_user_out_everywhere(browser: Client, client_for: MakeClient) -> None:
    """C3.4"""
    user = factories.user(factories.customer())
    pairs, client = [factories.session(user) for _ in range(2)], client_for(None)
    path = f"/admin/users/user/{user.id}/deactivate/"
    assert "2 living sessions end" in shown(browser, path)
    assert User.objects.get().status == "active"
    assert browser.post(path).status_code == 302
    assert [client.get("/api/auth/me", token=pair.access).status for pair in pairs] == [401, 401]
    assert not Session.objects.filter(ended_at=None).exists()
    event = Event.objects.get(action="user_deactivated")
    assert (event.user_id, event.actor) == (user.id, "operator:ops@example.com")


def test_reactivating_asks_first_and_revives_no_session(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer(demands_verified_email=False))
    token, client = factories.session(user).access, client_for(None)
    page = f"/admin/users/user/{user.id}"
    browser.post(f"{page}/deactivate/")
    assert "Sessions that have ended stay so" in shown(browser, f"{page}/reactivate/")
    assert User.objects.get().status == "deactivated"
    assert browser.post(f"{page}/reactivate/").status_code == 302
    assert User.objects.get().status == "active"
    assert client.get("/api/auth/me", token=token).error_type == "session_ended"
    assert client.get("/api/auth/me", token=factories.session(user).access).status == 200


def test_who_was_pending_is_pending_again(browser: Client) -> None:
    """Closing and opening an account does not approve it: approving takes a separate permission."""
    user = factories.user(factories.customer(demands_approval=True), status="pending")
    for name in ("deactivate", "reactivate"):
        assert browser.post(f"/admin/users/user/{user.id}/{name}/").status_code == 302
    user.refresh_from_db()
    assert (user.status, user.approved_at) == ("pending", None)


def test_doing_it_twice_is_no_error_and_no_second_event(browser: Client) -> None:
    user = factories.user(factories.customer())
    for name in ("deactivate", "deactivate", "reactivate", "reactivate"):
        assert browser.post(f"/admin/users/user/{user.id}/{name}/").status_code == 302
    done = Event.objects.filter(user_id=user.id).order_by("at", "id").values_list("action", flat=True)
    assert list(done) == ["user_deactivated", "user_reactivated"]


@pytest.mark.parametrize(
    ("status", "offered"), [("active", "deactivate"), ("pending", "deactivate"), ("deactivated", "reactivate")]
)
def test_only_what_makes_sense_is_offered(browser: Client, status: str, offered: str) -> None:
    user = factories.user(factories.customer(), status=status)
    page = shown(browser, f"/admin/users/user/{user.id}/change/")
    links = [name for name in ("deactivate", "reactivate") if f"/{user.id}/{name}/" in page]
    assert links == [offered]


def test_the_status_is_not_written_into_the_form(browser: Client) -> None:
    """It would leave the sessions of a closed account alive, and skip what the customer demands."""
    user = factories.user(factories.customer(demands_approval=True), status="pending")
    page = f"/admin/users/user/{user.id}/change/"
    assert 'name="status"' not in shown(browser, page)
    assert save(browser, page, {**PROFILE, "status": "active"}).status_code == 302
    user.refresh_from_db()
    assert (user.status, user.name) == ("pending", "Ada")


def test_who_is_made_an_administrator_loses_the_sessions_that_test_keys_began(
    browser: Client, client_for: MakeClient
) -> None:
    """The holder of a test key reads its codes and may sign in as any user, but not as an administrator."""
    customer = factories.customer()
    user = factories.user(customer)
    live = factories.session(user).access
    in_sandbox = factories.session(user, sandbox_key_id="k" * 12)
    client, page = client_for(None), f"/admin/users/user/{user.id}/change/"
    save(browser, page, {**PROFILE, "name": "Ada Lovelace"})
    assert [client.get("/api/auth/me", token=token).status for token in (live, in_sandbox.access)] == [200, 200]
    assert save(browser, page, {**PROFILE, "role": "admin"}).status_code == 302
    me = client.get("/api/auth/me", token=live)
    assert (me.status, me.document["role"]) == (200, "admin")
    assert client.get("/api/auth/me", token=in_sandbox.access).error_type == "session_ended"
    assert client.refresh(in_sandbox.refresh).status == 401
    ended = Event.objects.get(action="session_ended")
    assert (ended.user_id, ended.actor) == (user.id, "operator:ops@example.com")


def test_it_takes_the_right_to_change_users(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename="view_user", content_type__app_label="users"))
    browser = sign_in("clerk@example.com")
    assert "/deactivate/" not in shown(browser, f"/admin/users/user/{user.id}/change/")
    for name in ("deactivate", "reactivate"):
        for send in (browser.get, browser.post):
            assert send(f"/admin/users/user/{user.id}/{name}/").status_code == 403
    assert User.objects.get().status == "active"


@pytest.mark.parametrize("name", ["deactivate", "reactivate", "change"])
def test_who_is_erased_at_that_moment_is_no_server_error(browser: Client, name: str) -> None:
    user = factories.user(factories.customer())

    def erase() -> None:
        row = User.objects.get()
        erasure.erase(customer_id=row.customer_id, user_id=row.id, context=factories.context("system"))

    with meanwhile.uncommitted(erase):
        answer = browser.post(f"/admin/users/user/{user.id}/{name}/", PROFILE, follow=True)
    assert answer.status_code == 200
    assert not User.objects.exists()
    assert not Event.objects.filter(action__in=("user_deactivated", "user_reactivated", "user_changed")).exists()


def test_a_user_made_by_an_operator_is_found_under_its_address_like_any_other(
    browser: Client, client_for: MakeClient
) -> None:
    """C6. The full-width letters and dot are what some keyboards write."""
    customer = factories.customer()
    form = {**PROFILE, "customer": customer.id, "email": " Ada@\uff45xample\u3002com ", "status": "active"}
    assert browser.post("/admin/users/user/add/", form).status_code == 302
    assert User.objects.get().email == "Ada@example.com"
    client = client_for(customer)
    client.request_otp("ada@example.com")
    answer = client.verify_otp("ada@example.com", newest_code())
    assert (answer.status, answer.document["user"]["is_new"]) == (200, False)
    again = {**form, "email": "ADA@example.com"}
    assert "such a user already" in browser.post("/admin/users/user/add/", again).content.decode()


def test_a_user_is_not_made_deactivated(browser: Client) -> None:
    form = {**PROFILE, "customer": factories.customer().id, "email": "ada@example.com", "status": "deactivated"}
    assert browser.post("/admin/users/user/add/", form).status_code == 200  # the form again
    assert not User.objects.exists()

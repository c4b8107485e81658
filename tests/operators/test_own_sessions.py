"""Operators' sessions: listed and ended by themselves, ended by time, and worthless in a stolen copy of the database."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.operators import tasks
from apps.operators.models import OperatorSession
from apps.operators.sign_in.session_store import SessionStore
from tests.operators.signing_in import PASSWORD, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/sessions/"
BY_SCRIPT = {"HTTP_SEC_FETCH_DEST": "empty"}


def cookie_of(browser: Client) -> str:
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def aged(**ages: timedelta) -> None:
    OperatorSession.objects.update(**{column: timezone.now() - age for column, age in ages.items()})


def others_key(browser: Client) -> str:
    """The one session that the page offers to end."""
    page = browser.get(PAGE)
    (key,) = [entry["row"].session_key for entry in page.context["sessions"] if not entry["is_current"]]
    return str(key)


def test_a_session_is_listed_with_device_and_address_and_ended() -> None:
    operator()
    here, there = sign_in(), sign_in(ip="198.51.100.7")
    text = here.get(PAGE).content.decode()
    assert "192.0.2.1" in text
    assert "198.51.100.7" in text
    here.post(PAGE, {"session": others_key(here)})
    assert is_in(here)
    assert not is_in(there)
    event = Event.objects.get(action="operator_sessions_ended")
    assert (event.actor, event.details) == ("operator:ops@example.com", {"count": 1})


def test_all_others_are_ended_and_this_one_stays() -> None:
    operator()
    here, *others = (sign_in() for _ in range(3))
    here.post(PAGE, {"session": "others"})
    assert is_in(here)
    assert not any(map(is_in, others))


def test_nobody_sees_or_ends_sessions_of_another_operator() -> None:
    operator()
    operator("other@example.com")
    mine, theirs = sign_in(), sign_in("other@example.com", ip="203.0.113.9")
    assert "203.0.113.9" not in mine.get(PAGE).content.decode()
    for row in OperatorSession.objects.all():
        mine.post(PAGE, {"session": row.session_key})
    mine.post(PAGE, {"session": "others"})
    assert is_in(theirs)
    assert is_in(mine)


def test_nothing_is_ended_by_a_get_or_by_a_stranger() -> None:
    operator()
    here, there = sign_in(), sign_in()
    here.get(PAGE, {"session": "others"})
    Client().post(PAGE, {"session": "others"})
    assert is_in(there)


def test_a_session_ends_when_nothing_was_done_for_long() -> None:
    operator()
    browser = sign_in()
    aged(last_seen_at=timedelta(minutes=29))
    assert is_in(browser)
    aged(last_seen_at=timedelta(minutes=30))
    assert not is_in(browser)


def test_a_click_counts_and_what_a_page_asks_by_itself_does_not() -> None:
    operator()
    browser = sign_in()
    aged(last_seen_at=timedelta(minutes=20))
    browser.get("/admin/", **BY_SCRIPT)
    aged_still = OperatorSession.objects.get()
    assert timezone.now() - aged_still.last_seen_at > timedelta(minutes=19)
    browser.get("/admin/")
    assert timezone.now() - OperatorSession.objects.get().last_seen_at < timedelta(minutes=1)


def test_what_a_script_asks_for_changes_nothing_when_the_session_is_saved() -> None:
    """A message, or a proof, saves the session's row: not as if the operator had been there."""
    operator()
    browser = sign_in()
    aged(last_seen_at=timedelta(minutes=20))
    session = browser.session
    session["anything"] = 1
    session.save()
    assert timezone.now() - OperatorSession.objects.get().last_seen_at > timedelta(minutes=19)


def test_a_session_ends_half_a_day_after_the_sign_in_whatever_is_done() -> None:
    operator()
    browser = sign_in()
    aged(begun_at=timedelta(hours=12))
    assert not is_in(browser)


def test_a_new_key_of_a_session_does_not_lengthen_it() -> None:
    """A changed password gives the session another key."""
    operator()
    browser = sign_in()
    begun = OperatorSession.objects.get().begun_at
    session = browser.session
    session.cycle_key()
    session.save()
    assert OperatorSession.objects.get().begun_at == begun


@pytest.mark.parametrize("chosen_by", ["another operator", "nobody", "a stranger who made the key up"])
def test_signing_in_takes_over_no_session_that_somebody_else_has_chosen(chosen_by: str) -> None:
    """Fixation: the key before the sign-in is worth nothing after it."""
    operator()
    victim = Client(REMOTE_ADDR="192.0.2.1")
    key = chosen_key(chosen_by)
    victim.cookies[settings.SESSION_COOKIE_NAME] = key
    form = {"username": "ops@example.com", "password": PASSWORD, "code": "", "next": "/admin/"}
    victim.post("/admin/login/", form)
    assert is_in(victim)
    assert cookie_of(victim) != key
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_in(attacker)


def chosen_key(chosen_by: str) -> str:
    if chosen_by == "another operator":
        operator("other@example.com")
        return cookie_of(sign_in("other@example.com"))
    if chosen_by == "nobody":
        session = SessionStore()
        session["anything"] = 1
        session.save()
        return str(session.session_key)
    return "0123456789abcdefghijklmnopqrstuv"


def test_a_stolen_database_opens_no_session() -> None:
    operator()
    browser = sign_in()
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM operators_operatorsession AS t")
        kept = cursor.fetchone()[0]
    assert cookie_of(browser) not in kept
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = OperatorSession.objects.get().session_key
    assert not is_in(thief)
    assert is_in(browser)


def test_an_ended_session_is_not_written_back_by_a_request_that_is_under_way() -> None:
    operator()
    browser = sign_in()
    session = browser.session
    session["anything"] = 1
    OperatorSession.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not OperatorSession.objects.exists()


def test_sessions_that_have_expired_are_deleted() -> None:
    operator()
    sign_in()
    alive = sign_in()
    first = OperatorSession.objects.order_by("begun_at").first()
    assert first
    OperatorSession.objects.filter(pk=first.pk).update(expire_date=timezone.now() - timedelta(seconds=1))
    tasks.remove_expired()
    assert OperatorSession.objects.count() == 1
    assert is_in(alive)

"""Operators are invited by mail: by a link that is good once, expires, is withdrawn, and leads to the second factor."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Event
from apps.mail import outbox
from apps.mail.models import Message, MessageState
from apps.operators import tasks
from apps.operators.models import OperatorLink, OperatorSession, RoleName
from apps.operators.team import roles, scope
from tests import factories, races
from tests.operators.enrolling import app_of, code_of
from tests.operators.limiting import give
from tests.operators.signing_in import AS_AUDITOR, PASSWORD, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/auth/user/add/"
INVITATION, NEW_PASSWORD, FORGOTTEN = "/admin/invitation/", "/admin/new-password/", "/admin/forgotten-password/"
FRESH = "another horse battery staple"
LINK = re.compile(r"(https://auth\.example\.test\S*)#token=([\w-]{43})")


def mailed() -> tuple[str, str]:
    """Page and token of the last mail with a link."""
    message = Message.objects.exclude(content="").filter(kind__startswith="operator_").order_by("created_at").last()
    assert message
    found = LINK.search(outbox.content_of(message).text)  # type: ignore[union-attr]
    assert found
    return found[1].removeprefix("https://auth.example.test"), found[2]


def form(token: str, password: str = FRESH) -> dict[str, str]:
    return {"token": token, "new_password": password, "repeated": password}


def invited(browser: Client, address: str = "new@example.com") -> User:
    assert browser.post(ADD, {"email": address, **AS_AUDITOR}).status_code == 302
    return User.objects.get(email=address)


def act(browser: Client, who: User, name: str, **answers: str) -> int:
    return browser.post(f"/admin/auth/user/{who.pk}/{name}/", answers).status_code


def test_somebody_is_invited_and_led_to_the_second_factor(browser: Client) -> None:
    fresh = invited(browser)
    assert (fresh.username, fresh.is_staff, fresh.has_usable_password()) == ("new@example.com", True, False)
    page, token = mailed()
    assert page == INVITATION
    guest = Client()
    assert guest.get(INVITATION).status_code == 200
    assert guest.post(INVITATION, form(token)).headers["Location"] == "/admin/second-factor/"
    assert guest.get("/admin/second-factor/").status_code == 200
    assert is_in(sign_in("new@example.com", FRESH))
    names = Event.objects.values_list("action", "actor")
    assert ("operator_invited", "operator:ops@example.com") in names
    assert ("operator_invitation_accepted", "operator:new@example.com") in names


def test_who_is_invited_has_a_role_from_the_start(browser: Client) -> None:
    customer = factories.customer()
    limited = {"role": "support", "reach": "some", "customers": [str(customer.id)]}
    assert browser.post(ADD, {"email": "new@example.com"}).status_code == 200, "nobody is invited as nothing"
    assert not User.objects.filter(email="new@example.com").exists()
    assert browser.post(ADD, {"email": "new@example.com", **limited}).status_code == 302
    fresh = User.objects.get(email="new@example.com")
    assert (roles.role_of(fresh), scope.of_operator(fresh).customers) == (RoleName.SUPPORT, {customer.id})
    assert not fresh.is_superuser


def test_nobody_types_the_password_of_another(browser: Client) -> None:
    typed = {"email": "new@example.com", "password1": FRESH, "password2": FRESH, "usable_password": "true"}
    browser.post(ADD, {**typed, **AS_AUDITOR, "username": "new@example.com", "password": FRESH})
    fresh = User.objects.get(username="new@example.com")
    assert not fresh.has_usable_password()
    browser.post(f"/admin/auth/user/{fresh.pk}/password/", typed)
    assert not User.objects.get(pk=fresh.pk).has_usable_password()
    page = browser.get(f"/admin/auth/user/{fresh.pk}/change/").content.decode()
    assert not re.search(r'name="password|/password/"', page)


def test_a_link_is_good_once(browser: Client) -> None:
    invited(browser)
    _, token = mailed()
    assert Client().post(INVITATION, form(token)).status_code == 302
    answer = Client().post(INVITATION, form(token, "yet another horse battery"))
    assert answer.status_code == 410
    assert "of no use" in answer.content.decode()
    assert User.objects.get(email="new@example.com").check_password(FRESH)
    assert Event.objects.filter(action="operator_link_rejected").count() == 1


def test_of_many_uses_at_once_one_sets_the_password(browser: Client) -> None:
    invited(browser)
    _, token = mailed()

    def use(number: int) -> int:
        return Client(REMOTE_ADDR=f"192.0.2.{number}").post(INVITATION, form(token, f"{FRESH} {number}")).status_code

    answers = races.at_once(6, use)
    assert sorted(answers) == [302, *[410] * 5]
    winner = answers.index(302)
    assert User.objects.get(email="new@example.com").check_password(f"{FRESH} {winner}")


def test_loading_the_page_uses_nothing_up(browser: Client) -> None:
    """Scanners of mails follow links."""
    invited(browser)
    _, token = mailed()
    for method in ("get", "head"):
        getattr(Client(), method)(f"{INVITATION}?token={token}")
    assert Client().post(INVITATION, form(token)).status_code == 302


def test_a_bad_password_does_not_use_the_link_up(browser: Client) -> None:
    invited(browser)
    _, token = mailed()
    for bad in ("short", "password1234", "new@example.com"):
        assert Client().post(INVITATION, form(token, bad)).status_code == 200
    assert Client().post(INVITATION, {**form(token), "repeated": "other"}).status_code == 200
    assert Client().post(INVITATION, form(token)).status_code == 302


def test_a_link_expires(browser: Client) -> None:
    invited(browser)
    _, token = mailed()
    OperatorLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().post(INVITATION, form(token)).status_code == 410
    tasks.remove_expired()
    assert not OperatorLink.objects.exists()


def test_an_invitation_sent_again_voids_the_first_and_one_withdrawn_is_void(browser: Client) -> None:
    fresh = invited(browser)
    _, first = mailed()
    assert act(browser, fresh, "invite-again") == 302
    _, second = mailed()
    assert first != second
    assert Client().post(INVITATION, form(first)).status_code == 410
    assert act(browser, fresh, "withdraw-invitation") == 302
    assert Client().post(INVITATION, form(second)).status_code == 410
    Client().post(FORGOTTEN, {"email": "new@example.com"})  # brings it back no more than anything else does
    assert not Message.objects.filter(kind="operator_password_reset").exclude(state=MessageState.SUPPRESSED).exists()


@pytest.mark.parametrize("change", [{"email": "thief@example.com"}, {"is_active": False}, {"is_staff": False}])
def test_a_link_is_void_when_its_operator_has_changed(browser: Client, change: dict[str, object]) -> None:
    fresh = invited(browser)
    _, token = mailed()
    User.objects.filter(pk=fresh.pk).update(**change)
    assert Client().post(INVITATION, form(token)).status_code == 410


def test_a_stolen_database_holds_no_link(browser: Client) -> None:
    invited(browser)
    _, token = mailed()
    kept = " ".join(str(values) for values in OperatorLink.objects.values_list())
    sealed = " ".join(Message.objects.values_list("content", flat=True))
    assert token not in kept + sealed


def test_links_are_made_of_our_own_address_whatever_host_was_asked(browser: Client) -> None:
    """Poisoned mails: a Host header, or one of a proxy, must not end up in a link."""
    operator("boss@example.com")
    hostile = {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "http"}
    assert Client().post(FORGOTTEN, {"email": "boss@example.com"}, **hostile).status_code == 302
    page, _token = mailed()
    assert page == NEW_PASSWORD


def test_only_superusers_invite_and_help(browser: Client) -> None:
    boss = User.objects.get()
    app_of(boss)
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Permission.objects.all())
    inside = sign_in("clerk@example.com")
    assert is_in(inside)
    assert inside.post(ADD, {"email": "new@example.com", **AS_AUDITOR}).status_code == 403
    for name in ("invite-again", "withdraw-invitation", "send-password-link", "reset-factors"):
        assert act(inside, boss, name, why="mine", proof=PASSWORD) == 403
    assert not OperatorLink.objects.exists()


@pytest.mark.parametrize("address", ["OPS@example.com", "new@example.com\nBcc: evil@example.com", "no address"])
def test_addresses_that_are_taken_or_none_are_refused(browser: Client, address: str) -> None:
    assert browser.post(ADD, {"email": address, **AS_AUDITOR}).status_code == 200
    assert User.objects.count() == 1


def test_a_forgotten_password_is_set_anew_and_the_second_factor_still_asked_for() -> None:
    device = app_of(operator())
    before = sign_in(code=code_of(device))
    assert is_in(before)
    assert Client().post(FORGOTTEN, {"email": "OPS@example.com"}).status_code == 302
    page, token = mailed()
    assert page == NEW_PASSWORD
    guest = Client()
    assert guest.post(NEW_PASSWORD, form(token)).headers["Location"] == "/admin/login/"
    assert not is_in(guest)
    assert not is_in(before)
    assert not OperatorSession.objects.filter(operator__isnull=False).exists()
    assert not is_in(sign_in(password=FRESH))
    assert is_in(sign_in(password=FRESH, code=code_of(device, later=1)))
    assert Message.objects.filter(kind="operator_notice", recipient="ops@example.com").count() == 1
    assert Event.objects.filter(action="operator_password_reset", actor="operator:ops@example.com").count() == 1


def test_a_link_for_one_purpose_is_none_for_another(browser: Client) -> None:
    invited(browser)
    _, invitation = mailed()
    assert Client().post(NEW_PASSWORD, form(invitation)).status_code == 410
    Client().post(FORGOTTEN, {"email": "ops@example.com"})
    _, forgotten = mailed()
    assert Client().post(INVITATION, form(forgotten)).status_code == 410


def test_a_link_is_void_once_the_operator_has_signed_in() -> None:
    operator()
    Client().post(FORGOTTEN, {"email": "ops@example.com"})
    _, token = mailed()
    assert is_in(sign_in())
    assert Client().post(NEW_PASSWORD, form(token)).status_code == 410


@pytest.mark.parametrize("unlucky", ["nobody@example.com", "closed@example.com", "invited@example.com"])
def test_the_answer_and_the_work_are_the_same_for_nobody(unlucky: str) -> None:
    operator()
    operator("closed@example.com", is_active=False)
    waiting = operator("invited@example.com")
    waiting.set_unusable_password()
    waiting.save()
    with CaptureQueriesContext(connection) as known:
        first = Client().post(FORGOTTEN, {"email": "ops@example.com"})
    with CaptureQueriesContext(connection) as unknown:
        second = Client().post(FORGOTTEN, {"email": unlucky})
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert abs(len(known) - len(unknown)) <= 1
    assert Message.objects.get(recipient=unlucky).state == MessageState.SUPPRESSED


def test_mails_are_limited_for_each_address_and_questions_for_each_network() -> None:
    operator()
    for number in range(5):
        Client(REMOTE_ADDR=f"192.0.2.{number}").post(FORGOTTEN, {"email": "ops@example.com"})
    assert Message.objects.filter(kind="operator_password_reset").count() == 3
    answers = [Client(REMOTE_ADDR="198.51.100.1").post(FORGOTTEN, {"email": f"{n}@example.com"}) for n in range(11)]
    assert [answer.status_code for answer in answers] == [*[302] * 10, 200]


def test_no_mail_goes_to_an_address_that_only_looks_like_the_operators() -> None:
    """CVE-2019-19844: the mail goes to the address that is kept, never to the one that was typed."""
    operator("mike@example.org")
    Client().post(FORGOTTEN, {"email": "m\u0131ke@example.org"})
    sent = Message.objects.filter(kind="operator_password_reset").exclude(state=MessageState.SUPPRESSED)
    assert not sent.exclude(recipient="mike@example.org").exists()


def test_changing_ones_own_password_ends_the_other_sessions_and_is_told() -> None:
    operator()
    here, there = sign_in(), sign_in()
    mine = {"old_password": PASSWORD, "new_password1": FRESH, "new_password2": FRESH}
    assert here.post("/admin/password_change/", mine).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert OperatorSession.objects.filter(operator__isnull=False).count() == 1
    assert Message.objects.filter(kind="operator_notice").count() == 1


def test_a_lost_factor_is_reset_by_another_who_proves_who_they_are() -> None:
    device = app_of(operator())
    lost = sign_in(code=code_of(device))
    operator("boss@example.com")
    boss = sign_in("boss@example.com")
    who = User.objects.get(username="ops@example.com")
    assert act(boss, who, "reset-factors") == 200  # a reason is needed
    assert act(boss, who, "reset-factors", why="Seen in person") == 302
    assert not is_in(lost)
    assert is_in(sign_in())
    event = Event.objects.get(action="operator_factors_reset")
    assert (event.actor, event.details["name"], event.details["why"], event.severity) == (
        "operator:boss@example.com",
        "ops@example.com",
        "Seen in person",
        "high",
    )
    text = outbox.content_of(Message.objects.get(kind="operator_notice")).text  # type: ignore[union-attr]
    assert "boss@example.com" in text
    assert "Seen in person" in text


def test_nobody_resets_the_factor_of_themselves() -> None:
    device = app_of(operator())
    browser = sign_in(code=code_of(device))
    me = User.objects.get()
    act(browser, me, "reset-factors", why="Mine")
    assert not is_in(sign_in())
    assert "Nobody resets their own" in browser.get("/admin/password_change/").content.decode()


def test_a_proof_is_asked_for_when_the_last_is_old() -> None:
    app_of(operator())
    operator("boss@example.com")
    boss = sign_in("boss@example.com")
    session = boss.session
    session["gatehouse_proven"] = [0, "password"]
    session.save()
    who = User.objects.get(username="ops@example.com")
    assert act(boss, who, "reset-factors", why="Seen in person") == 200
    assert act(boss, who, "reset-factors", why="Seen in person", proof="wrong") == 200
    assert not Event.objects.filter(action="operator_factors_reset").exists()
    assert act(boss, who, "reset-factors", why="Seen in person", proof=PASSWORD) == 302

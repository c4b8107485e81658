"""What a change of credentials voids (contract 4): every cell of the table in docs/accounts.md."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps as django_apps
from django.utils import timezone

from apps.accounts import deactivation
from apps.core import valkey
from apps.mail.models import Message, MessageState
from apps.otp import purposes
from apps.users import credentials, directory, lifecycle
from apps.users.models import User
from tests import factories
from tests.accounts import voiding
from tests.accounts.moving import moved, undo, undo_token
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.voiding import EVENTS, NEVER, STANDS, VOID, WAYS, Someone, World
from tests.conftest import MakeClient
from tests.meanwhile import uncommitted
from tests.otp.reading import newest_code
from tests.signin import proving
from tests.signin.entering import FRESH, PASSWORD, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)
CASES = [(name, bring_about) for name, ways in EVENTS.items() for bring_about in ways[1:]]
APPS = Path(__file__).parents[2] / "apps"


@pytest.fixture(autouse=True)
def sms(settings: object, tmp_path: Path) -> None:
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = "apps.mail.sms_transports.File", str(tmp_path / "sms.jsonl")  # type: ignore[attr-defined]


def test_the_table_names_every_event_and_every_way() -> None:
    """A new one needs a decision, and a test of each of its cells."""
    table = voiding.table()
    assert list(table) == list(WAYS)
    assert all(list(row) == list(EVENTS) for row in table.values())
    assert {cell for row in table.values() for cell in row.values()} == {VOID, STANDS, NEVER}


@pytest.mark.parametrize("event", EVENTS)
def test_what_was_issued_before_counts_as_the_table_says(client_for: MakeClient, event: str) -> None:
    """C4: what a change of credentials voids."""
    of, table = voiding.world(client_for), voiding.table()
    expected = {way: row[event] for way, row in table.items() if row[event] != NEVER}
    assert {way: _outcome(of, event, way, EVENTS[event][0]) for way in expected} == expected


@pytest.mark.parametrize(("event", "bring_about"), CASES, ids=[act.__name__ for _name, act in CASES])
def test_however_the_event_is_brought_about(
    client_for: MakeClient, event: str, bring_about: Callable[[Someone], None]
) -> None:
    """All ways of an event do the same, so one that nothing else voids stands for the others."""
    of, way = voiding.world(client_for), "link to set a password"
    assert _outcome(of, event, way, bring_about) == VOID


def test_without_an_event_every_way_leads_in(client_for: MakeClient) -> None:
    """Else the table would prove nothing."""
    of = voiding.world(client_for)
    found = {way: _outcome(of, "password changed", way, voiding.nothing) for way in WAYS}
    assert found == dict.fromkeys(WAYS, STANDS)


@pytest.mark.parametrize("way", [way for way, row in voiding.table().items() if row["password changed"] == VOID])
def test_of_an_event_and_a_use_at_once_the_event_comes_first_or_wholly_after(client_for: MakeClient, way: str) -> None:
    """The use has passed every check, waits for the event, and then comes too late."""
    of = voiding.world(client_for)
    for begin in WAYS[way] if way != "other sessions" else ():
        who = voiding.arranged(of, "password changed", way)
        who.comes_back = False
        attempt = begin(who)
        with uncommitted(lambda user=who.user: _change(user)):  # type: ignore[misc]
            assert not attempt()


def _change(user: User) -> None:
    directory.lock(user.id)
    credentials.change(user, now=timezone.now())


def test_a_mail_that_carries_what_is_void_is_kept_back(client_for: MakeClient) -> None:
    """Messages that carry no code still go out, and so do codes issued afterwards."""
    of = voiding.world(client_for)
    who, other = voiding.someone(of, proven=True), voiding.someone(of, proven=True)
    for user in (who, other):
        user.client.request_otp(user.email)
        voiding.asked_link(user)
    voiding.app_removed(who)
    who.client.request_otp(who.email)
    queued = Message.objects.filter(state=MessageState.QUEUED).exclude(content="")
    kinds = sorted(queued.filter(user_id=who.user.id).values_list("kind", flat=True))
    assert kinds == ["factor_removed", "sign_in_code"]
    assert sorted(queued.filter(user_id=other.user.id).values_list("kind", flat=True)) == [
        "password_reset",
        "sign_in_code",
    ]
    kept_back = Message.objects.filter(state=MessageState.SUPPRESSED)
    assert sorted(kept_back.values_list("kind", "content")) == [("password_reset", ""), ("sign_in_code", "")]


def test_an_old_copy_of_valkey_brings_nothing_back(client_for: MakeClient) -> None:
    """What lies in Valkey counts only with the version that PostgreSQL keeps."""
    of = voiding.world(client_for)
    who = voiding.someone(of, proven=True)
    attempts = [begin(who) for begin in (voiding.sign_in_code, voiding.verification_code, voiding.passkey_sign_in)]
    client = valkey.client()
    copy = {key: client.dump(key) for key in client.keys("*")}  # type: ignore[union-attr]
    voiding.password_changed(who)
    client.flushdb()
    for key, value in copy.items():
        client.restore(key, 600_000, value, replace=True)  # type: ignore[arg-type]
    assert not any(attempt() for attempt in attempts)


def test_a_link_asked_for_by_a_thief_does_not_outlive_the_password(client_for: MakeClient) -> None:
    """Issue: a link to reset the password survived change-password, and then the attacker's password worked."""
    customer = generous()
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    forgot(client)
    link = mailed_token()
    document = {"current_password": PASSWORD, "password": FRESH}
    assert client.post("/api/auth/change-password", document, token=token).status == 200
    assert reset(client, link, "the password of a thief").error_type == "invalid_reset_token"
    assert login(client, "the password of a thief").status == 401
    assert login(client, FRESH).status == 200


def test_an_undo_link_waits_until_a_deactivated_account_is_open_again(client_for: MakeClient) -> None:
    client, _token, user = moved(client_for)
    link = undo_token()
    acting = factories.context("operator:o")
    deactivation.deactivate(user, context=acting)
    assert undo(client, link).error_type == "invalid_undo_token"
    lifecycle.reactivate(user, context=acting)
    assert undo(client, link).status == 200


def _outcome(of: World, event: str, way: str, bring_about: Callable[[Someone], None]) -> str:
    """What becomes of every way in this row: they must agree."""
    outcomes = set()
    for begin in WAYS[way]:
        who = voiding.arranged(of, event, way)
        attempt = begin(who)
        bring_about(who)
        outcomes.add(STANDS if attempt() else VOID)
    return ", ".join(sorted(outcomes))


def test_whatever_changes_credentials_is_one_of_the_events() -> None:
    """Each call of `credentials.change` belongs to an event of the table."""
    found = {
        f"{path.relative_to(APPS)}:{function.name}"
        for path in APPS.rglob("*.py")
        if "credentials" in (text := path.read_text()) and "change(" in text
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef) and "credentials.change(" in ast.unparse(function)
    }
    assert found == {
        "accounts/password_change.py:replace",  # password changed, password reset
        "signin/first_proof.py:_prove",  # address proven for the first time
        "accounts/email_change.py:_move",  # address changed
        "accounts/support/address.py:_change",  # address changed by an operator
        "accounts/email_undo.py:_drop_what_came_with_it",  # change of address undone
        "factors/removal.py:_remove",  # factor removed
        "factors/totp.py:keep",  # app replaced
        "factors/phones.py:keep",  # number replaced
        "factors/enrolment.py:make_recovery_codes",  # recovery codes renewed
        "factors/passkeys.py:_report_clone",  # passkey found copied
        "users/lifecycle.py:deactivate",  # deactivated
        "users/lifecycle.py:reactivate",
    }


def test_whatever_keeps_the_version_is_one_of_the_ways() -> None:
    """Each model that a change can void stands in the table."""
    fields = ("credentials_version", "pending_version")
    found = {
        model.__name__
        for model in django_apps.get_models()
        if any(field.name in fields for field in model._meta.get_fields())
    }
    asked_by_mail = {"Message", "Registration", "ResetToken", "EmailChange"}
    assert found == {"User", *asked_by_mail, "Challenge", "Totp", "RememberedDevice", "AuthorizationCode"}


def test_every_purpose_of_a_code_is_one_of_the_ways() -> None:
    found = {value for name, value in vars(purposes).items() if name.isupper() and isinstance(value, str)}
    assert found == {
        "login",  # code to sign in
        "verify_email",  # code to prove the address
        "change_email",  # change of address that waits for its code
        "second_factor:email",  # code for it by mail
        "second_factor:sms",  # code for it by SMS
        "enrol_phone",  # number that waits for its code
        "reauthenticate:sms",  # code for a fresh proof
        "reauthenticate:email",  # the same, of somebody who has nothing else
    }


def test_a_mailed_code_for_a_fresh_proof_is_void_too(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user, client = factories.user(customer), client_for(customer)
    token = factories.session(user).access
    outcomes = []
    for bring_about in (lambda: None, lambda: credentials.change(user, now=timezone.now())):
        assert proving.send(client, token, "email").status == 200
        code = newest_code()
        bring_about()
        outcomes.append(proving.prove(client, token, "email", code=code).status)
    assert outcomes == [200, 400]

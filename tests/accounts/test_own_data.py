"""A user's own data: all of it exported, all of it erased."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql

from apps.accounts.export.sections import SECTIONS
from apps.accounts.models import EmailChange
from apps.audit import events
from apps.audit.models import Event
from apps.core import sealed
from apps.core.ids import new_id
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.mail.models import LedgerEntry, LedgerStep, Message, MessageState
from apps.signin.models import KnownCountry, KnownDevice, Password
from apps.tokens.minting import TokenPair
from apps.tokens.models import RefreshToken, Session
from apps.users import lifecycle
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.races import at_once
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "never-to-be-shown"


def equip(user: User) -> None:
    """Give the user one of everything."""
    now = timezone.now()
    customer_id = user.customer_id
    lifecycle.change_profile(user, changes={"phone": "+4915112345678"}, context=factories.context(now=now))
    totp = Totp(user=user, created_at=now, confirmed_at=now)
    sealed.write(totp, "secret", SECRET.encode())
    totp.save()
    phone = Phone(user=user, hint="+49 … 78", created_at=now)
    sealed.write(phone, "number", b"+4915112345678")
    phone.save()
    Passkey.objects.create(
        customer_id=customer_id,
        user=user,
        name="My laptop",
        credential_id=f"{SECRET}-{user.id}",
        public_key=SECRET.encode(),
        created_at=now,
    )
    RecoveryCode.objects.create(user=user, digest=SECRET.encode(), created_at=now)
    Password.objects.create(user=user, encoded=SECRET, set_at=now)
    KnownDevice.objects.create(user=user, name="Firefox on Linux", first_seen_at=now)
    KnownCountry.objects.create(user=user, country="DE", first_seen_at=now)
    EmailChange.objects.create(
        customer_id=customer_id,
        user=user,
        old_email="old@example.com",
        new_email=user.email,
        message_id=new_id(),
        created_at=now,
        expires_at=now,
    )


def whole_export(client: Client, token: str) -> dict[str, Any]:
    """Every section to its end, as an app would follow the cursors."""
    first = client.get("/api/auth/me/export", token=token).document
    lists = {}
    for name, page in first["sections"].items():
        rows, cursor = page["results"], page["next"]
        while cursor:
            answer = client.get(f"/api/auth/me/export?section={name}&cursor={cursor}", token=token)
            assert (answer.status, answer.document["section"]) == (200, name)
            rows, cursor = rows + answer.document["results"], answer.document["next"]
        lists[name] = rows
    return {"user": first["user"], **lists}


def test_everything_held_is_exported_and_no_secret(client_for: MakeClient) -> None:
    """C4: all data held about the user."""
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("ada@example.com")
    token = client.verify_otp("ada@example.com", newest_code()).document["access_token"]
    user = User.objects.get()
    equip(user)
    answer = client.get("/api/auth/me/export", token=token)
    assert (answer.status, answer.encrypted) == (200, True)
    assert answer.document["user"]["phone"] == "+4915112345678"
    assert answer.document["user"]["email"] == "ada@example.com"
    found = {name: page["results"] for name, page in answer.document["sections"].items()}
    assert found["sessions"][0]["address"] == "192.0.2.7"
    assert found["passkeys"][0]["name"] == "My laptop"
    assert found["phone_factor"][0]["number"] == "+4915112345678"
    assert "Firefox on Linux" in [row["name"] for row in found["known_devices"]]
    assert [row["country"] for row in found["known_countries"]] == ["DE"]
    assert found["email_changes"][0]["old_email"] == "old@example.com"
    assert [row["recipient"] for row in found["mails"]] == ["ada@example.com"]  # sent before there was a user
    assert {"authenticator_app", "recovery_codes", "password"} <= {name for name, rows in found.items() if rows}
    assert {"sign_in", "profile_changed"} <= {row["action"] for row in found["events"]}
    assert SECRET not in json.dumps(answer.document)
    assert Event.objects.get(action="user_exported").details == {"section": "all"}


def test_nothing_of_others_is_exported(client_for: MakeClient) -> None:
    """C1.5: not a colleague's data, and not that of the same address at another customer."""
    customer = factories.customer()
    mine, colleague = factories.user(customer), factories.user(customer, "bob@example.com")
    stranger = factories.user(factories.customer())
    for other in (colleague, stranger):
        equip(other)
        client_for(other.customer).request_otp(other.email)
        factories.session(other)
    token = factories.session(mine).access
    found = whole_export(client_for(None), token)
    assert [row["id"] for row in found.pop("sessions")] == [str(Session.objects.get(user=mine).id)]
    assert [row["action"] for row in found.pop("events")] == ["user_exported"]
    assert found.pop("user")["id"] == str(mine.id)
    assert not any(found.values())


def test_long_lists_come_in_pages_that_fit(client_for: MakeClient) -> None:
    """C2.2.4: a JSON answer stays under 48 KiB."""
    user = factories.user(factories.customer(), name="ö" * 200, email_verified_at=timezone.now())
    agent = "\u20ac" * 512
    for number in range(60):
        events.record(
            action="sign_in", context=factories.context(user_agent=agent), customer_id=user.customer_id, user_id=user.id, details={"number": number, "text": "x" * 500},
        )  # fmt: skip
    for _ in range(15):
        factories.session(user, user_agent=agent)
    token, client = factories.session(user).access, client_for(None)
    first = client.get("/api/auth/me/export", token=token)
    assert len(json.dumps(first.document, ensure_ascii=False).encode()) < 48 * 1024
    assert first.document["sections"]["events"]["next"]
    found = whole_export(client, token)
    numbers = [row["details"]["number"] for row in found["events"] if row["action"] == "sign_in"]
    assert numbers == list(reversed(range(60)))
    assert len(found["sessions"]) == 16


@pytest.mark.parametrize(
    "query", ["section=", "section=nothing", "section=%00", "section=mails&cursor=!", "section=mails&limit=0"]
)
def test_a_bad_section_is_refused(client_for: MakeClient, query: str) -> None:
    token = factories.session(factories.user(factories.customer())).access
    answer = client_for(None).get(f"/api/auth/me/export?{query}", token=token)
    assert answer.status == 400


def test_who_acted_is_named_but_for_operators(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    lifecycle.change(user, changes={"name": "Ada"}, context=factories.context("operator:boss@x"))
    found = whole_export(client_for(None), factories.session(user).access)
    assert "operator" in [row["actor"] for row in found["events"]]
    assert "boss@x" not in json.dumps(found)


def test_erasing_leaves_nothing_but_the_audit_trail(client_for: MakeClient) -> None:
    """C4, C8: the user and everything that belongs to it is deleted; events stay, and hold no address."""
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("ada@example.com")
    answer = client.verify_otp("ada@example.com", newest_code()).document
    user = User.objects.get()
    equip(user)
    client.request_otp("ada@example.com")
    LedgerEntry.objects.create(
        message=Message.objects.latest("id"),
        at=timezone.now(),
        step=LedgerStep.DEFERRED,
        answer="ada@example.com: busy",
    )
    erased = client.delete("/api/auth/me", token=answer["access_token"])
    assert (erased.status, erased.encrypted) == (200, True)
    assert erased.document == {"message": "Your account has been erased."}
    assert tables_with(str(user.id)) == {"audit_event"}
    assert tables_with("ada@example.com") == set()
    assert set(Message.objects.values_list("recipient", "content")) == {("", "")}
    event = Event.objects.get(action="user_erased")
    assert (event.user_id, event.actor, event.ip) == (user.id, f"user:{user.id}", "192.0.2.7")


def tables_with(text: str) -> set[str]:
    """The tables in which any row contains this text."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            statement = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} AS t WHERE t::text ILIKE %s)")
            cursor.execute(statement.format(sql.Identifier(table)), [f"%{text}%"])
            row = cursor.fetchone()
            if row and row[0]:
                found.add(table)
    # Mails keep the user's id, as events do: it refers to nothing.
    return found - ({"mail_message"} if "@" not in text else set())


def test_the_tokens_of_the_erased_are_dead_on_the_next_request(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    here, there = factories.session(user), factories.session(user)
    client = client_for(None)
    assert client.get("/api/auth/me", token=there.access).status == 200
    assert client.delete("/api/auth/me", token=here.access).status == 200
    for pair in (here, there):
        assert client.get("/api/auth/me", token=pair.access).error_type == "user_inactive"
        assert client.refresh(pair.refresh).status == 401
    assert client.delete("/api/auth/me", token=here.access).status == 401
    assert not RefreshToken.objects.exists()


def test_without_valkey_a_changed_profile_is_changed(client_for: MakeClient, valkey_away: object) -> None:
    """C3.4."""
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    assert client.get("/api/auth/me", token=pair.access).status == 200
    valkey_away.kill()  # type: ignore[attr-defined]
    changed = client.patch("/api/auth/me", {"name": "Ada"}, token=pair.access)
    assert (changed.status, changed.document["name"]) == (200, "Ada")
    assert client.get("/api/auth/me", token=pair.access).document["name"] == "Ada"


def test_without_valkey_erasing_takes_effect_too(client_for: MakeClient, valkey_away: object) -> None:
    """C3.4: no token works from here on, also not once Valkey is back."""
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    assert client.get("/api/auth/me", token=pair.access).status == 200
    valkey_away.kill()  # type: ignore[attr-defined]
    assert client.delete("/api/auth/me", token=pair.access).status == 200
    assert client.get("/api/auth/me", token=pair.access).status == 401
    valkey_away.start()  # type: ignore[attr-defined]
    assert client.get("/api/auth/me", token=pair.access).status == 401


def test_the_same_address_can_come_anew_and_is_another_user(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    client = client_for(customer)
    client.request_otp("ada@example.com")
    first = client.verify_otp("ada@example.com", newest_code()).document
    client.delete("/api/auth/me", token=first["access_token"])
    client.request_otp("ada@example.com")
    second = client.verify_otp("ada@example.com", newest_code()).document
    assert second["user"]["is_new"]
    assert second["user"]["id"] != first["user"]["id"]
    assert client.get("/api/auth/me", token=first["access_token"]).status == 401
    assert whole_export(client, second["access_token"])["mails"] != []


def test_others_keep_what_is_theirs(client_for: MakeClient) -> None:
    """C1.5"""
    customer = factories.customer()
    user, colleague, stranger = (
        factories.user(customer),
        factories.user(customer, "bob@example.com"),
        factories.user(factories.customer()),
    )
    for other in (colleague, stranger):
        equip(other)
        client_for(other.customer).request_otp(other.email)
    pairs = [factories.session(other) for other in (colleague, stranger)]
    assert client_for(None).delete("/api/auth/me", token=factories.session(user).access).status == 200
    assert set(User.objects.all()) == {colleague, stranger}
    assert [client_for(None).get("/api/auth/me", token=pair.access).status for pair in pairs] == [200, 200]
    assert Passkey.objects.count() == 2
    assert sorted(Message.objects.values_list("recipient", flat=True)) == ["ada@example.com", "bob@example.com"]


def test_a_mail_that_has_not_gone_out_does_not(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    client_for(user.customer).request_otp(user.email)
    assert Message.objects.get().state == MessageState.QUEUED
    client_for(None).delete("/api/auth/me", token=factories.session(user).access)
    assert Message.objects.get().state == MessageState.SUPPRESSED


def test_the_last_admin_does_not_leave_others_behind(client_for: MakeClient) -> None:
    """Somebody has to be able to administer the customer; its only user may leave."""
    customer, client = factories.customer(), client_for(None)
    admin = factories.user(customer, role="admin")
    factories.user(factories.customer(), role="admin")  # another customer's does not help
    colleague = factories.user(customer, "bob@example.com")
    factories.user(customer, "off@example.com", role="admin", status="deactivated")
    token = factories.session(admin).access
    answer = client.delete("/api/auth/me", token=token)
    assert (answer.status, answer.error_type, answer.encrypted) == (409, "last_admin", True)
    assert client.get("/api/auth/me", token=token).status == 200
    User.objects.filter(id=colleague.id).update(role="admin")
    assert client.delete("/api/auth/me", token=token).status == 200


def test_who_is_alone_may_go(client_for: MakeClient) -> None:
    token = factories.session(factories.user(factories.customer(), role="admin")).access
    assert client_for(None).delete("/api/auth/me", token=token).status == 200


def test_of_two_admins_who_leave_at_once_one_stays(client_for: MakeClient) -> None:
    for _ in range(5):
        customer = factories.customer()
        admins = [factories.user(customer, f"{name}@example.com", role="admin") for name in ("ada", "bob")]
        factories.user(customer, "eve@example.com")
        tokens = [factories.session(admin).access for admin in admins]
        client = client_for(None)
        statuses = at_once(2, lambda n, t=tokens, c=client: c.delete("/api/auth/me", token=t[n]).status)
        assert sorted(statuses) == [200, 409]


def test_erasing_goes_through_whatever_the_user_does_meanwhile(client_for: MakeClient) -> None:
    """Refreshing, reading and erasing at once: no 500, and in the end the user is gone."""
    for _ in range(4):
        user = factories.user(factories.customer())
        pairs = [factories.session(user) for _ in range(8)]
        client = client_for(None)

        def act(number: int, pairs: list[TokenPair] = pairs, client: Client = client) -> int:
            if number == 3:
                return client.delete("/api/auth/me", token=pairs[3].access).status
            if number % 2:
                return client.get("/api/auth/sessions", token=pairs[number].access).status
            return client.refresh(pairs[number].refresh).status

        statuses = at_once(8, act)
        assert set(statuses) <= {200, 401}
        assert statuses[3] == 200
        assert not User.objects.exists()


def test_a_cookie_session_is_cleared_with_the_account(client_for: MakeClient) -> None:
    from apps.api.authentication import cookies

    pair = factories.session(
        factories.user(factories.customer(allowed_origins=["https://app.example"])), delivery="cookie"
    )
    headers = {
        "Cookie": f"__Host-gatehouse_access={pair.access}",
        "X-CSRF-Token": cookies.csrf_token(pair.session_id),
        "Origin": "https://app.example",
    }
    answer = client_for(None).call("DELETE", "/api/auth/me", headers=headers)
    assert answer.status == 200
    assert "__Host-gatehouse_access=" in answer.headers["set-cookie"]
    assert not User.objects.exists()


def test_an_export_costs_a_statement_for_each_section(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer(), email_verified_at=timezone.now()))
    client = client_for(None)
    client.get("/api/auth/me", token=pair.access)
    with counted() as cost:
        client.get("/api/auth/me/export", token=pair.access)
    assert len(cost.statements) == len(SECTIONS) + 2  # the user, the event


def test_old_sessions_are_in_the_export_too(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    factories.session(user, now=timezone.now() - timedelta(days=20))
    assert len(whole_export(client_for(None), factories.session(user).access)["sessions"]) == 2

"""Nobody waits for PostgreSQL without bound: what is locked, stuck or gone is a 503, in time, and never a 500."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.contrib.auth.models import User as Operator
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client as Browser
from django.urls import reverse

from apps.core import error_answers, errors
from config import databases, environment
from demo.client import Answer
from tests.conftest import MakeClient
from tests.contract import ways
from tests.signin.entering import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@contextmanager
def locked(*tables: str) -> Iterator[None]:
    """Somebody else holds these tables, as a migration or a forgotten psql does."""
    holds, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
                holds.set()
                release.wait(300)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(90)
    try:
        yield
    finally:
        release.set()
        thread.join()


@contextmanager
def bounded(**milliseconds: int) -> Iterator[None]:
    """Connections of this process with shorter bounds than production's."""
    usual = connection.settings_dict
    connection.close()
    parameters = {name: f"{value}ms" for name, value in milliseconds.items()}
    connection.settings_dict = databases.with_parameters({**usual, "OPTIONS": {**usual["OPTIONS"]}}, parameters)
    # with_parameters puts ours first, and the last one counts
    options = connection.settings_dict["OPTIONS"]
    options["options"] += "".join(f" -c {name}={value}" for name, value in parameters.items())
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual


def failure(answer: Answer) -> str:
    return str(answer.document["error"]["type"])


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def test_every_wait_of_a_connection_is_bounded() -> None:
    """C3.4, C5: one locked table must not fill every thread."""
    connection.close()
    assert [shown(name) for name in BOUNDS] == ["10s", "3s", "15s"]
    assert shown("tcp_keepalives_count") in ("3", "0"), "0 on a Unix socket"
    params = connection.get_connection_params()
    assert {name: params[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives")} == {
        "connect_timeout": 5,
        "tcp_user_timeout": 15_000,
        "keepalives": 1,
    }


def test_the_bounds_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_LOCK_TIMEOUT_SECONDS", "0.5")
    made = databases.bounded(environment.load(), "postgresql://a:b@c/d", is_pooled=False)
    assert "-c lock_timeout=0.5s" in made["OPTIONS"]["options"]


def test_what_the_url_says_itself_wins() -> None:
    made = databases.bounded(
        environment.load(),
        "postgresql://a:b@c/d?options=-c%20lock_timeout%3D9s&connect_timeout=2&sslmode=verify-full",
        is_pooled=False,
    )
    assert made["OPTIONS"]["options"].endswith("-c lock_timeout=9s")
    assert str(made["OPTIONS"]["connect_timeout"]) == "2"
    assert made["OPTIONS"]["sslmode"] == "verify-full"


def test_a_pooler_is_given_no_parameters_and_commands_go_past_it() -> None:
    """A transaction pooler refuses start-up parameters that it does not know, and shares what is set."""
    env, pooler, direct = environment.load(), "postgresql://a:b@pooler:6432/d", "postgresql://a:b@direct:5432/d"
    assert "options" not in databases.bounded(env, pooler, is_pooled=True)["OPTIONS"]
    patient = databases.unhurried(env, pooler, listen_url=direct, is_pooled=True)
    assert patient is not None
    assert (patient["HOST"], patient["PORT"]) == ("direct", 5432)
    assert databases.unhurried(env, pooler, listen_url="", is_pooled=True) is None


@pytest.mark.parametrize("table", ["users_user", "audit_event"])
def test_while_a_table_is_locked_no_call_is_a_500(
    table: str, client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C5: every way through every operation, as far as it comes. The tests' clients hold each answer against the schema."""
    answers: list[Answer] = []
    place = ways.Place(client_for)
    call = place.client.call

    def noted(*arguments: Any, **options: Any) -> Answer:
        answers.append(call(*arguments, **options))
        return answers[-1]

    monkeypatch.setattr(place.client, "call", noted)
    with bounded(lock_timeout=50), locked(table):
        for way in ways.WAYS:
            with suppress(Exception):  # the way asks for what the answer would have been, or arranges something itself
                way.go(place)
    failed = [answer for answer in answers if answer.status >= 500 and failure(answer) != "sms_unavailable"]
    assert {(answer.status, failure(answer)) for answer in failed} == {(503, "temporarily_unavailable")}
    assert {answer.headers["retry-after"] for answer in failed} == {"5"}


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/request-otp", "/api/auth/forgot-password"])
def test_a_locked_table_is_a_503_that_says_when_to_come_back(path: str, client_for: MakeClient) -> None:
    place = ways.Place(client_for)
    with bounded(lock_timeout=100), locked("users_user"):
        answer = place.client.before_sign_in(path, {"email": EMAIL, "password": PASSWORD})
    assert (answer.status, answer.document["error"]["type"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert place.client.before_sign_in(path, {"email": EMAIL, "password": PASSWORD}).status == 200


def test_a_statement_that_is_too_slow_is_a_503(client_for: MakeClient) -> None:
    place = ways.Place(client_for)
    with bounded(statement_timeout=100, lock_timeout=0), locked("users_user"):
        answer = place.client.before_sign_in("/api/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert (answer.status, answer.document["error"]["type"]) == (503, "temporarily_unavailable")


def test_operators_see_a_page_that_says_what_is_the_matter() -> None:
    browser = Browser(raise_request_exception=False)
    browser.force_login(Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD))
    with bounded(lock_timeout=100), locked("customers_customer"):
        answer = browser.get(reverse("admin:customers_customer_changelist"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Please try again in a moment" in answer.content.decode()
    with bounded(lock_timeout=100), locked("operators_operatorsession"):
        assert browser.get(reverse("admin:index")).status_code == 503, "where the session itself cannot be read"


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL default_transaction_read_only = on; SET LOCAL transaction_read_only = on; DELETE FROM users_user",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '25P03'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53300'; END $$",
    ],
    ids=["a replica", "a lost connection", "idle too long", "serialization", "a deadlock", "too many connections"],
)
def test_what_passes_by_itself_is_an_outage(statement: str) -> None:
    with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
    assert isinstance(error_answers.translate(raised.value), errors.TemporarilyUnavailable)


def test_a_mistake_of_ours_is_none() -> None:
    with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nonsense")
    assert isinstance(error_answers.translate(raised.value), error_answers.InternalError)

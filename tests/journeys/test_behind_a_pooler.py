"""Everything works behind PgBouncer in transaction mode, where nothing of a connection outlives a transaction."""

import os
import subprocess
from collections.abc import Iterator
from io import StringIO
from threading import Thread
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from apps.audit import actions, chain, events, tasks
from apps.core import advisory_locks, checks, sealed
from apps.core.ids import new_id
from config import development_keys
from tests import factories, races, warm
from tests.conftest import MakeClient
from tests.core.test_bounded_waits import locked
from tests.otp.reading import newest_code
from tests.pooler import SERVERS, Pooler, pooler
from tests.signin.entering import EMAIL, PASSWORD, generous, login, member
from tests.worker import environment_of_process

__all__ = ["pooler"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]
BOUNDS = {"statement_timeout": "10s", "lock_timeout": "100ms", "idle_in_transaction_session_timeout": "15s"}


def manage(pooler: Pooler, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py …` as a process, with nothing but the pooler to go through."""
    url = pooler.url(connection.settings_dict["NAME"])
    environment = environment_of_process(**{"DATABASE_URL": url, "DATABASE_POOLED": "true", **environment})
    return warm.run(["manage.py", *arguments], environment=environment)


@pytest.fixture
def a_role_with_bounds() -> Iterator[None]:
    """As docs/operations.md says, here for this test's database alone."""
    where = f'ALTER ROLE gatehouse IN DATABASE "{connection.settings_dict["NAME"]}"'
    with connection.cursor() as cursor:
        for name, value in BOUNDS.items():
            cursor.execute(f"{where} SET {name} = '{value}'")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"{where} RESET ALL")


def test_users_sign_in_refresh_and_sign_out(pooler: Pooler, client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    with pooler.between():
        client.request_otp(EMAIL)
        signed_in = client.verify_otp(EMAIL, newest_code()).document
        assert login(client).status == 200
        renewed = client.refresh(signed_in["refresh_token"]).document
        me = client.get("/api/auth/me", token=renewed["access_token"])
        assert (me.status, me.document["email"]) == (200, EMAIL)
        client.post("/api/auth/logout", {}, token=renewed["access_token"])
        assert client.get("/api/auth/me", token=renewed["access_token"]).status == 401


@pytest.mark.race
def test_many_sign_in_at_once(pooler: Pooler, client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    client = client_for(customer)
    with pooler.between():
        usual = connection.settings_dict

        def act(_: int) -> int:
            connection.settings_dict = usual
            return login(client).status

        assert set(races.at_once(4 * SERVERS, act, threads=2 * SERVERS)) == {200}


def test_events_are_chained_and_the_log_is_verified(pooler: Pooler) -> None:
    """More than two batches: a cursor on the server would be gone at the second."""
    customer_id = new_id()
    with pooler.between():
        for _ in range(3):
            events.record(action=actions.SIGN_IN, customer_id=customer_id, context=factories.context())
        assert tasks.chain_events() == 3
        chain.BATCH, usual = 1, chain.BATCH
        try:
            out = StringIO()
            call_command("verify_audit_log", stdout=out, no_color=True)
        finally:
            chain.BATCH = usual
    assert "The audit log is whole: 1 chain(s)." in out.getvalue()


def test_the_exit_code_of_verifying_is_its_verdict(pooler: Pooler) -> None:
    """C8. 0: whole; 1: altered; 2: nobody could look."""
    events.record(action=actions.SIGN_IN, context=factories.context())
    whole = manage(pooler, "verify_audit_log")
    assert whole.returncode == 0, whole.stderr
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE audit_event SET actor = 'nobody'")
        cursor.execute("RESET session_replication_role")
    altered = manage(pooler, "verify_audit_log")
    assert (altered.returncode, "was altered" in altered.stderr) == (1, True)
    pooler.stop()
    assert manage(pooler, "verify_audit_log").returncode == 2
    assert manage(pooler, "verify_audit_log", "--customer", "nonsense").returncode == 2
    assert manage(pooler, "verify_audit_log", DATABASE_LOCK_TIMEOUT_SECONDS="nonsense").returncode == 2


def test_secrets_are_encrypted_again(pooler: Pooler) -> None:
    user = member(factories.customer())
    sealed.write(user, "phone", b"+4915112345678")
    user.save()
    new = f"new:{development_keys.generate()['MASTER_KEYS'].partition(':')[2]}"
    done = manage(pooler, "rotate_master_key", MASTER_KEYS=f"{new},{os.environ['MASTER_KEYS']}")
    assert "Nothing is left under an older key." in done.stdout, done.stderr
    user.refresh_from_db()
    assert user.phone.startswith("new.")


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The name of a new database beside the test's own."""
    name = f"pooled_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
        yield name
        own.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_migrate_at_once(pooler: Pooler, empty_database: str) -> None:
    """A session's advisory lock would stay behind on a server connection, and everybody after would wait for ever."""
    results: list[subprocess.CompletedProcess[str]] = []

    def migrate() -> None:
        results.append(manage(pooler, "migrate", "--noinput", DATABASE_URL=pooler.url(empty_database)))

    both = [Thread(target=migrate) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert [done.returncode for done in results] == [0, 0], [done.stderr for done in results]
    third = manage(pooler, "migrate", "--noinput", DATABASE_URL=pooler.url(empty_database))
    assert "No migrations to apply." in third.stdout


def test_long_commands_go_past_it(pooler: Pooler) -> None:
    """With DATABASE_LISTEN_URL: the pooler's role may have bounds that a long command must not meet."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    pooler.stop()
    done = manage(pooler, "verify_audit_log", DATABASE_LISTEN_URL=url)
    assert done.returncode == 0, done.stderr


def test_a_lock_is_one_processs_and_leaves_nothing_on_the_pools_connections(pooler: Pooler) -> None:
    with pooler.between():
        with advisory_locks.try_to_hold("trial", at_most_seconds=20) as is_ours:
            assert is_ours
            for _ in range(2 * SERVERS):
                with advisory_locks.try_to_hold("trial", at_most_seconds=20) as is_another_s:
                    assert not is_another_s
        for _ in range(2 * SERVERS):
            with advisory_locks.try_to_hold("trial", at_most_seconds=20) as is_ours:
                assert is_ours
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.usefixtures("a_role_with_bounds")
def test_waits_are_bounded_by_the_role(pooler: Pooler, client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    with locked("users_user"), pooler.between():
        answer = client.before_sign_in("/api/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_a_role_without_bounds_is_warned_of(pooler: Pooler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_POOLED", True)
    with pooler.between():
        (warning,) = checks.waits_are_bounded(databases=["default"])
    assert warning.id == "gatehouse.W001"
    assert "ALTER ROLE gatehouse SET lock_timeout" in str(warning.hint)


@pytest.mark.usefixtures("a_role_with_bounds")
def test_a_role_with_bounds_is_not(pooler: Pooler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_POOLED", True)
    with pooler.between():
        assert checks.waits_are_bounded(databases=["default"]) == []
    connections.close_all()

"""`migrate`: two at once take turns, requests on a busy table go first, and an interrupted index is rebuilt."""

import os
import threading
from collections.abc import Iterator
from io import StringIO
from urllib.parse import urlsplit

import psycopg
import pytest
from django.apps import apps as global_apps
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from apps.core import migration_state
from apps.core.index_operations import AddIndexOnLiveTable
from apps.core.management.commands import migrate
from tests import races, warm
from tests.core.test_bounded_waits import locked, shown
from tests.worker import environment_of_process, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MIGRATE = ["manage.py", "migrate", "--noinput"]


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The URL of a new database, beside the test's own."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = f"empty_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
        yield url._replace(path=f"/{name}").geturl()
        own.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_at_once_on_an_empty_database_both_succeed(empty_database: str) -> None:
    """As when two containers start."""
    environment = environment_of_process(DATABASE_URL=empty_database)
    both = races.at_once(2, lambda _: warm.run(MIGRATE, environment=environment))
    assert [ended.returncode for ended in both] == [0, 0], both
    assert sorted("No migrations to apply." in ended.stdout for ended in both) == [False, True]
    assert sorted("Another migrate is at work" in ended.stderr for ended in both) == [False, True]


@pytest.fixture
def a_migration_to_apply() -> Iterator[None]:
    """The last one of the files' is to be applied again: a trigger on a table that requests use."""
    call_command("migrate", "files", "0001", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.usefixtures("a_migration_to_apply")
def test_a_busy_table_is_given_way_to_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds its place in the queue for the table only shortly: all others wait behind it."""
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.1)
    told, out = StringIO(), StringIO()
    with locked("files_userfile"):
        command = threading.Thread(
            target=lambda: (call_command("migrate", stdout=out, stderr=told), connection.close())
        )
        command.start()
        wait_until(lambda: "try 1 of" in told.getvalue() or not command.is_alive())
        assert command.is_alive()
    command.join()
    assert "files.0002_bytes_are_given_back... OK" in out.getvalue()


@pytest.mark.usefixtures("a_migration_to_apply")
def test_a_table_that_stays_busy_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrate, "TRIES", 2)
    with locked("files_userfile"), pytest.raises(CommandError, match="run migrate again"):
        call_command("migrate", stdout=StringIO(), stderr=StringIO())


def test_a_connection_has_its_usual_bounds_again_after_a_command() -> None:
    call_command("migrate", verbosity=0)
    assert (shown("statement_timeout"), shown("lock_timeout")) == ("10s", "3s")


def test_no_table_in_use_is_locked_for_an_index() -> None:
    """An app's first migration makes its tables. A later one uses AddIndexOnLiveTable."""
    later = [one for one in MigrationLoader(None).disk_migrations.values() if not one.initial]
    ours = [one for one in later if global_apps.get_app_config(one.app_label).name.startswith("apps.")]
    assert ours
    assert [one for one in ours if any(type(step) is migrations.AddIndex for step in one.operations)] == []


def test_an_index_that_was_interrupted_is_made_anew() -> None:
    """CREATE INDEX CONCURRENTLY leaves an invalid one when it is interrupted, and the name is taken then."""
    state = ProjectState.from_apps(global_apps)
    operation = AddIndexOnLiveTable("message", models.Index(fields=["kind"], name="message_trial"))
    wanted = state.clone()
    operation.state_forwards("mail", wanted)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX message_trial ON mail_message (recipient)")
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'message_trial'::regclass")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("mail", editor, state, wanted)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = 'message_trial'::regclass"
            )
            valid, definition = cursor.fetchone()  # type: ignore[misc]
        operation.database_backwards("mail", editor, wanted, state)
    assert valid
    assert "(kind)" in definition
    assert shown("lock_timeout") == "3s"


def test_where_a_new_model_alone_is_rendered_every_relation_is_known_as_after_rendering_all() -> None:
    executor = migration_state.Executor(connection)
    step_by_step = migration_state.State.of(ProjectState(real_apps=executor.loader.unmigrated_apps))
    assert not step_by_step.apps.get_models()  # to ask is to render from here on
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
        migration.mutate_state(step_by_step, preserve=False)
    assert relations(step_by_step) == relations(executor.loader.project_state())


def relations(state: ProjectState) -> dict[str, set[str]]:
    """Of each model: its fields, and those of others that point to it."""
    return {
        model._meta.label: {f"{field.model._meta.label}.{field.name} {field!r}" for field in model._meta.get_fields()}
        for model in state.apps.get_models()
    }

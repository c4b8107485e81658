"""`/readyz` when parts are away or too slow: it names them all, and answers in time (see test_health for the rest)."""

import json
import os
import threading

import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from tests import warm
from tests.timing import takes_at_most

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS_WITHIN_SECONDS = 60  # what hangs would hang for ever
PROBE = """
import django
django.setup()
from django.test import Client

from tests.timing import takes_at_most
answer = Client().get("/readyz")
print(answer.status_code, answer.content.decode(), sep="\\t")
"""


def down(document: dict[str, str]) -> set[str]:
    return {name for name, state in document.items() if state == "down"}


def test_it_names_everything_that_is_away() -> None:
    nowhere = {
        "DATABASE_URL": "postgresql://gatehouse@/gatehouse?host=/nowhere",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/1",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
    }
    done = warm.run(["-c", PROBE], environment={**os.environ, **nowhere}, timeout=ANSWERS_WITHIN_SECONDS)
    status, text = done.stdout.strip().splitlines()[-1].split("\t")
    assert (status, json.loads(text)["status"]) == ("503", "unavailable")
    assert down(json.loads(text)) == {"database", "valkey", "broker", "migrations"}
    assert "nowhere" not in text


def test_a_migration_that_is_missing_is_named() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("payloads", "0001_initial")
    try:
        answer = Client().get("/readyz")
    finally:
        recorder.record_applied("payloads", "0001_initial")
    assert (answer.status_code, down(answer.json())) == (503, {"migrations"})


def test_a_database_that_does_not_answer_is_not_waited_for() -> None:
    locked, answered = threading.Event(), threading.Event()

    def lock() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
            locked.set()
            answered.wait(120)
        connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    assert locked.wait(60)
    answers = []
    is_quick = takes_at_most(5, lambda: answers.append(Client().get("/readyz")))
    answered.set()
    thread.join()
    assert [(answer.status_code, down(answer.json())) for answer in answers[-1:]] == [(503, {"migrations"})]
    assert is_quick
    assert Client().get("/readyz").status_code == 200

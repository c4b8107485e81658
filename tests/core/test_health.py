"""Probes: `/healthz` says that the process is alive, whatever else is down; `/readyz` names what is not in order."""

import pytest
from django.db import connection
from django.test import Client, override_settings

from apps.api import cors
from tests.remembering import look_up_the_connection_anew


@pytest.fixture
def nothing_remembered() -> None:
    """Allowed origins are remembered for seconds; without that, a request that needs them must ask the database."""
    cors._Memory.forget()
    connection.health_check_done = False  # let go of, as after any request: a test before may have used it
    look_up_the_connection_anew()  # a test in an event loop may have used another


def test_healthz_answers_without_a_database(nothing_remembered: None) -> None:
    """pytest-django refuses every query of a test that is not marked django_db: one here would fail."""
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@override_settings(
    SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=[r"^healthz$", r"^readyz$"], ALLOWED_HOSTS=["auth.example.test"]
)
def test_healthz_answers_a_probe_that_knows_neither_name_nor_tls(nothing_remembered: None) -> None:
    """As the container's own HEALTHCHECK asks."""
    assert Client().get("/healthz", headers={"Host": "127.0.0.1:8000"}).status_code == 200


@pytest.mark.django_db
def test_readyz_is_ready_when_every_engine_answers() -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"status": "ok", "database": "ok", "valkey": "ok", "broker": "ok", "migrations": "ok"}


@pytest.mark.django_db
def test_readyz_names_valkey_when_it_is_away(valkey_away: object) -> None:
    valkey_away.kill()  # type: ignore[attr-defined]
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert {name for name, state in answer.json().items() if state == "down"} == {"valkey"}

"""Neither reading figures nor counting an hour costs more where more has happened before (measured in plans, not in time)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.figures import counting
from apps.figures.counters import COUNTERS, Counter
from apps.figures.models import FigureKind
from tests import factories
from tests.figures import happening
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
ROWS = 20_000
WHEN = "timestamptz '2026-11-20 12:30Z' - number * interval '20 minutes'"
FILLED = {
    "audit_event": (
        "INSERT INTO audit_event (id, at, customer_id, actor, action, outcome, severity, user_agent, request_id, details)"
        f" SELECT gen_random_uuid(), {WHEN}, %(customer)s, 'x', 'sign_in', 'success', 'info', '', '', '{{\"method\": \"code\"}}'"
    ),
    "mail_message": (
        "INSERT INTO mail_message (id, customer_id, kind, channel, recipient, content, state, attempts, created_at,"
        " next_try_at, expires_at, sandbox_key_id, last_error)"
        f" SELECT gen_random_uuid(), %(customer)s, 'sign_in_code', 'email', 'x@example.com', '', 'sent', 1, {WHEN}, {WHEN}, {WHEN}, '', ''"
    ),
}
LEDGER = (
    "INSERT INTO mail_ledgerentry (id, message_id, at, step, server, answer)"
    " SELECT gen_random_uuid(), id, created_at, 'accepted', '', '' FROM mail_message"
)


@pytest.fixture
def customer_id() -> Iterator[UUID]:
    """Of whom a row of each kind was written every 20 minutes of the last nine months."""
    found = factories.customer().id
    with connection.cursor() as cursor:
        for statement in FILLED.values():
            cursor.execute(f"{statement} FROM generate_series(1, {ROWS}) AS number", {"customer": found})
        cursor.execute("DISCARD PLANS")  # the keys of the ledger are else checked by a plan made for an empty table
        cursor.execute(LEDGER)
        cursor.execute("ANALYZE audit_event, mail_message, mail_ledgerentry, customers_customer")
    yield found


def plan(counter: Counter) -> dict[str, Any]:
    hour = counting.beginning_of_hour(NOW) - counting.HOUR
    with connection.cursor() as cursor:
        facts = {"since": hour, "until": hour + counting.HOUR}
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) {counter.rows}", facts)
        row = cursor.fetchone()
    found = json.loads(row[0]) if isinstance(row[0], str) else row[0]  # type: ignore[index]
    return dict(found[0]["Plan"])


def rows_read(node: dict[str, Any], table: str) -> float:
    """Rows of this table that the plan looked at, those that it threw away included."""
    mine = 0.0
    if node.get("Relation Name") == table:
        mine = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return mine + sum(rows_read(inner, table) for inner in node.get("Plans", ()))


@pytest.mark.parametrize("counter", COUNTERS[:2], ids=lambda counter: counter.name)
def test_counting_an_hour_reads_the_rows_of_that_hour(customer_id: UUID, counter: Counter) -> None:
    tables = ("audit_event", "mail_message", "mail_ledgerentry")
    read = {table: rows_read(plan(counter), table) for table in tables}
    assert 0 < max(read.values()) <= 20, read


def test_reading_figures_reads_figures_alone_in_two_statements(customer_id: UUID) -> None:
    happening.count(NOW)
    assert happening.figures(NOW, [customer_id]).total(FigureKind.SIGN_IN) > 30
    for customers in (None, [customer_id]):
        for days in (1, 7, 30):
            with counted() as cost:
                happening.figures(NOW, customers, days=days)
            assert len(cost.statements) == 2
            assert not [text for text in cost.statements if "audit_" in text or "mail_" in text or "tokens_" in text]


def test_there_are_as_many_figures_whether_little_or_much_has_happened(customer_id: UUID) -> None:
    """So what reading them costs has an end: some sixty labels at most, times the hours."""
    happening.count(NOW)
    before = len(happening.figures(NOW, None, days=30).counts)
    for _ in range(200):
        happening.sign_in(customer_id, NOW - timedelta(minutes=5))
    happening.count(NOW + timedelta(minutes=1))
    found = happening.figures(NOW, None, days=30)
    assert (len(found.counts), found.total(FigureKind.SIGN_IN) > 200) == (before, True)

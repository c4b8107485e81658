"""What linking costs: as much as the new events, whatever history there is."""

import pytest
from django.db import connection, transaction

from apps.audit import actions, chain, events
from apps.audit.models import Event, UnchainedEvent
from apps.core.ids import new_id
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NEW, HISTORY = 20, 20_000
EVENTS = """
INSERT INTO audit_event (id, at, customer_id, actor, action, outcome, severity, user_agent, request_id, details)
SELECT gen_random_uuid(), now() - number * interval '100 milliseconds', %s, 'system', 'sign_in', 'success', 'info', '', '', '{}'
FROM generate_series(1, %s) AS number
"""
LINKS = """
INSERT INTO audit_chainlink (event_id, customer_id, position, hash)
SELECT id, customer_id, row_number() OVER (ORDER BY at), '' FROM audit_event
"""
READ = """
SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int FROM pg_stat_xact_user_tables
WHERE relname LIKE 'audit_%'
"""


def rows_read_by_linking() -> int:
    """How many rows PostgreSQL reads for one batch, as it counts them itself within a transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(READ)
        before = cursor.fetchone()
        assert chain.extend() == NEW
        cursor.execute(READ)
        after = cursor.fetchone()
    assert before
    assert after
    return int(after[0]) - int(before[0])


def test_a_batch_costs_as_much_as_its_events_though_the_last_hour_was_busy() -> None:
    """C8: a busy hour must not make each batch slower than the last."""
    customer_id = new_id()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(EVENTS, [customer_id, HISTORY])
        cursor.execute(LINKS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_event, audit_chainlink")
    for _ in range(NEW):
        events.record(action=actions.SIGN_IN, customer_id=customer_id, context=factories.context())
    assert rows_read_by_linking() < 10 * NEW
    assert Event.objects.filter(chainlink=None).count() == 0


def test_what_waits_is_noted_with_the_event_and_forgotten_with_its_link() -> None:
    with transaction.atomic():
        events.record(action=actions.SIGN_IN, context=factories.context())
        transaction.set_rollback(True)
    assert UnchainedEvent.objects.count() == 0
    events.record(action=actions.SIGN_IN, context=factories.context())
    assert UnchainedEvent.objects.count() == 1
    chain.extend()
    assert UnchainedEvent.objects.count() == 0

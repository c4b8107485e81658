"""Each filter of the list of audit events is answered by an index: no plan reads the whole table."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Event
from apps.core.ids import new_id
from apps.operators.models import RoleName
from apps.operators.pages.audit import event_filters
from tests import factories
from tests.operators.limiting import with_role
from tests.operators.signing_in import operator, sign_in, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
FILL = """
INSERT INTO audit_event (id, at, customer_id, user_id, actor, action, outcome, severity, ip, user_agent, request_id, details)
SELECT gen_random_uuid(), now() - number * interval '1 minute', gen_random_uuid(), gen_random_uuid(), 'system', 'sign_in',
       'success', 'info', '192.0.2.0'::inet + number % 250, '', 'r' || number, '{}' FROM generate_series(1, 20000) AS number
"""
FILTERS = ("since={day}&until={day}", "action=user_erased", "customer={customer}", "ip=198.51.100.7", "request_id=x1")
MORE = (
    "ip=198.51.100.0/24",
    "who=grace@example.com",
    "address=ada@example.com",
    "customer_id={customer}&user_id={user}",
    "",
)


def test_no_filter_reads_every_event() -> None:
    operator()
    browser: Client = sign_in()
    user = factories.user(factories.customer())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILL)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_event")
    facts = {"day": f"{timezone.now():%Y-%m-%d}", "customer": new_id(), "user": user.id}
    for query in (*FILTERS, *MORE):
        with CaptureQueriesContext(connection) as captured:
            assert browser.get("/admin/audit/event/?" + query.format(**facts)).status_code == 200
        assert [sql for sql in lists_of(captured) if reads_everything(sql)] == [], query


def lists_of(captured: CaptureQueriesContext) -> list[str]:
    found = [query["sql"] for query in captured.captured_queries if 'FROM "audit_event"' in query["sql"]]
    lists = [sql for sql in found if sql.startswith("SELECT") and "COUNT(*)" not in sql]
    assert lists
    return lists


def reads_everything(sql: str) -> bool:
    return "Seq Scan on audit_event" in plan_of(sql)


NETWORK = "/admin/audit/event/?ip=192.0.2.0/29"
OF_SIXTY_CUSTOMERS = FILL.replace(
    "gen_random_uuid(), gen_random_uuid(), 'system'", "(%s::uuid[])[1 + number % 60], NULL, 'system'"
)


def limited_to_twenty() -> tuple[Client, list[Event]]:
    """An auditor who sees a third of 20,000 events; and those of them that came from a network, the newest first."""
    customers = [factories.customer() for _ in range(20)]
    owners = [row.id for row in customers] + [new_id() for _ in range(40)]
    with connection.cursor() as cursor:
        cursor.execute(OF_SIXTY_CUSTOMERS.replace(" % ", " %% "), [owners])
        cursor.execute("VACUUM ANALYZE audit_event")
    of_network = Event.objects.filter(ip__gte="192.0.2.0", ip__lte="192.0.2.7").order_by("-at", "-id")
    mine = [event for event in of_network if event.customer_id in owners[:20]]
    return signed_in(with_role(RoleName.AUDITOR, *customers)), mine


def test_a_network_is_found_by_its_own_index_however_much_the_customers_have() -> None:
    """Of ten million events, 436,067 of twenty customers were read before to show 25 of a network's 19,606."""
    browser, mine = limited_to_twenty()
    shown, address = [], NETWORK
    while address:
        with CaptureQueriesContext(connection) as captured:
            rows = browser.get(address).context["cl"]
        (listed,) = [sql for sql in lists_of(captured) if "ORDER BY" in sql and "LIMIT" in sql]
        plan = plan_of(listed)
        assert ("event_ip_at" in plan, "event_customer_at" in plan) == (True, False), plan
        shown += rows.result_list
        address = rows.paginator.next and NETWORK.partition("?")[0] + rows.paginator.next
    assert shown == mine, "each once, and of no other customer"
    assert len(shown) > 200


@pytest.mark.parametrize("of_network", [10, 50_000])
def test_a_network_with_many_events_is_left_to_postgresql(monkeypatch: pytest.MonkeyPatch, of_network: int) -> None:
    """And so is one with more of them than the customers have: there is nothing to gain. The answer is the same."""
    monkeypatch.setattr(event_filters, "MOST_OF_NETWORK", of_network)
    browser, mine = limited_to_twenty()
    everywhere = "/admin/audit/event/?ip=192.0.2.0/24"
    with CaptureQueriesContext(connection) as captured:
        browser.get(NETWORK if of_network == 10 else everywhere)
    assert not [query for query in captured.captured_queries if "MATERIALIZED" in query["sql"]]
    assert browser.get(NETWORK).context["cl"].result_list == mine[:25]


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
        return "\n".join(line for (line,) in cursor.fetchall())

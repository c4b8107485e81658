"""What is done often, or over everything, is done by an index: on tables of many rows no plan reads or sorts a whole one."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User as Operator
from django.db import connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts import mails
from apps.accounts import tasks as accounts_tasks
from apps.accounts.inquiry import outlook, story, subject
from apps.accounts.inquiry.subject import Circumstances
from apps.accounts.models import Registration
from apps.approvals import approval_queue
from apps.customers.models import Customer
from apps.mail import delivery
from apps.signin import tasks as signin_tasks
from apps.tokens import tasks as tokens_tasks
from apps.users import emails
from tests import factories, races

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 20_000
WHEN = "now() - interval '400 days' + number * interval '30 minutes'"  # the last ones are of the present
FILLED = {
    "mail_message": (
        "INSERT INTO mail_message (id, customer_id, user_id, kind, channel, recipient, content, state, attempts, created_at,"
        " next_try_at, expires_at, sandbox_key_id, last_error)"
        " SELECT gen_random_uuid(), %(customer)s, CASE WHEN number %% 2 = 0 THEN gen_random_uuid() END, 'k', 'email',"
        " 'User' || number || '@example.com', '', 'sent', 1, {when}, {when}, {when}, '', ''"
    ),
    "tokens_session": (
        "INSERT INTO tokens_session (id, customer_id, user_id, delivery, sandbox_key_id, user_agent, created_at, last_activity_at,"
        " expires_at, ended_at, end_reason)"
        " SELECT gen_random_uuid(), %(customer)s, %(user)s, 'body', '', '', {when}, {when}, {when},"
        " CASE WHEN number %% 2 = 0 THEN {when} END, ''"
    ),
    "accounts_registration": (
        "INSERT INTO accounts_registration (id, user_id, message_id, network, encoded, name, phone, created_at, expires_at)"
        " SELECT gen_random_uuid(), %(user)s, gen_random_uuid(), '', '', '', '', {when}, {when}"
    ),
    "accounts_emailchange": (
        "INSERT INTO accounts_emailchange (id, customer_id, user_id, old_email, new_email, message_id, created_at, expires_at,"
        " undo_until) SELECT gen_random_uuid(), %(customer)s, %(user)s, '', '', gen_random_uuid(), {when}, {when},"
        " CASE WHEN number %% 2 = 0 THEN {when} END"
    ),
    "users_user": (
        "INSERT INTO users_user (id, customer_id, email, email_identity, name, phone, locale, role, permissions, status,"
        " created_at, wrong_codes, is_owner) SELECT gen_random_uuid(), %(customer)s, 'x', 'x' || number, '', '', '',"
        " 'company_user', '[]', 'active', {when}, 0, false"
    ),
    "approvals_identitycheck": (
        "INSERT INTO approvals_identitycheck (id, customer_id, user_id, state, created_at, attempts, decided_by, reason,"
        " operators_told_at) SELECT gen_random_uuid(), customer_id, id, 'approved', created_at, 0, '', '', created_at"
        " FROM users_user WHERE email = 'x'"
    ),
}

LISTED = ("mail_message", "users_user", "tokens_session", "approvals_identitycheck", "audit_event")  # by operators


@pytest.fixture
def filled() -> Iterator[Any]:
    """Tables of many rows, of two years but for the last days; and a user."""
    user = factories.user(factories.customer())
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in FILLED.values():
            rows = "" if "FROM users_user" in statement else f" FROM generate_series(1, {ROWS}) AS number"
            cursor.execute(statement.format(when=WHEN) + rows, {"customer": user.customer_id, "user": user.id})
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(FILLED)}")
    yield user


def wasteful(act: Callable[[], object]) -> list[str]:
    """The statements of this act whose plan reads a whole filled table, or sorts; with what they do so."""
    with CaptureQueriesContext(connection) as captured:
        act()
    found = []
    for query in captured.captured_queries:
        sql = query["sql"]
        if not sql.startswith(("SELECT", "UPDATE", "DELETE")) or "COUNT(*)" in sql:
            continue
        with connection.cursor() as cursor:
            cursor.execute(explaining(sql), [])
            row = cursor.fetchone()
        plan = json.loads(row[0]) if isinstance(row[0], str) else row[0]  # type: ignore[index]
        found += [f"{fault}: {sql}" for fault in faults_of(plan[0]["Plan"])]
    return found


def explaining(sql: str) -> str:
    """For a prepared statement, whose values are not known here, the plan for any."""
    numbers = itertools.count(1)
    general, placeholders = re.subn("%s", lambda _: f"${next(numbers)}", sql)
    return f"EXPLAIN (FORMAT JSON{', GENERIC_PLAN' if placeholders else ''}) {general}".replace("%", "%%")


def faults_of(node: dict[str, Any]) -> list[str]:
    mine = []
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in FILLED:
        mine.append(f"reads the whole of {node['Relation Name']}")
    if "Sort" in node["Node Type"] and node["Plan Rows"] > 100 and FILLED.keys() & relations_of(node):
        mine.append(f"sorts {node['Plan Rows']} rows")
    return mine + [fault for inner in node.get("Plans", ()) for fault in faults_of(inner)]


def relations_of(node: dict[str, Any]) -> set[str]:
    inner = (relations_of(child) for child in node.get("Plans", ()))
    return {node.get("Relation Name", "")}.union(*inner)


def test_what_is_looked_for_often_or_over_everything_is_found_by_an_index(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_sweeper_erasure_export_and_operators(filled)
    whose_address_it_is_and_what_happened_to_it(filled)
    purges_find_what_has_expired_in_the_order_of_an_index(monkeypatch)


def by_sweeper_erasure_export_and_operators(filled: Any) -> None:
    """And by the queue of who waits; operators' lists are in the order of an index."""
    now = timezone.now()
    assert wasteful(lambda: delivery.expire(now=now)) == []
    assert wasteful(lambda: delivery.take_overdue(now=now, queue_is_empty=True)) == []
    assert wasteful(lambda: delivery.take_overdue(now=now, queue_is_empty=False)) == []
    assert wasteful(lambda: list(mails.of(filled)[:10])) == []
    assert wasteful(lambda: approval_queue.tell_operators(now=now)) == []
    browser = Browser()
    browser.force_login(Operator.objects.create_superuser("boss", "boss@example.com", "a long password"))
    for page in [reverse(f"admin:{name}_changelist") for name in LISTED]:
        assert wasteful(lambda page=page: browser.get(page)) == [], page  # type: ignore[misc]


def whose_address_it_is_and_what_happened_to_it(filled: Any) -> None:
    """At any customer, for somebody who asks why a user was refused."""
    address, anybody = emails.parse("user7@example.com"), Customer.objects.all()
    assert wasteful(lambda: subject.customers_that_know(anybody, address)) == []
    assert [found.id for found in subject.customers_that_know(anybody, address)] == [filled.customer_id]
    for each in (address, emails.parse(filled.email)):
        about = subject.of_address(filled.customer, each)
        assert wasteful(lambda about=about: story.story(about, Circumstances())) == []  # type: ignore[misc]
        assert wasteful(lambda about=about: outlook.outlook(about, Circumstances(ip="192.0.2.7"))) == []  # type: ignore[misc]


def purges_find_what_has_expired_in_the_order_of_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the plans of the tables as they are when the purge begins: it is rolled back, and so are the rows that it deleted."""
    for purge in (tokens_tasks.remove_expired, signin_tasks.remove_expired, accounts_tasks.remove_expired):
        monkeypatch.setattr("apps.core.batches.RUN_SECONDS", 0.2)
        assert wasteful(purge) == []


def test_a_purge_deletes_in_batches_all_that_has_expired_but_what_somebody_holds(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is left to the next run."""
    monkeypatch.setattr("apps.core.batches.RUN_SECONDS", 3600)  # a slow machine would leave more to it
    before = timezone.now() - accounts_tasks.KEPT
    held = Registration.objects.order_by("expires_at")[0]
    with transaction.atomic():
        Registration.objects.select_for_update().get(id=held.id)
        assert races.at_once(1, lambda _: accounts_tasks.remove_expired())[0] > 2 * ROWS - 2001
    assert Registration.objects.filter(id=held.id).exists()
    assert accounts_tasks.remove_expired() == 1
    for name, column in (("registration", "expires_at"), ("emailchange", "COALESCE(undo_until, expires_at)")):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*), min({column}) FROM accounts_{name}")  # noqa: S608  (the names above)
            left, oldest = cursor.fetchone()  # type: ignore[misc]
        assert 0 < left < 1000
        assert oldest >= before

"""Posting: one statement that counts and inserts, so that a quota of N gives exactly N."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit import actions
from apps.audit.events import NewEvent
from apps.audit.models import Event, UnchainedEvent
from apps.core.ids import new_id
from apps.mail import outbox, quotas
from apps.mail.errors import QuotaExceeded
from apps.mail.models import MailQuotaUse, Message, MessageState
from apps.mail.outbox import Quota
from tests import factories, races
from tests.mail import posting
from tests.mail.posting import NOON

pytestmark = pytest.mark.django_db(transaction=True)


def test_posting_is_one_statement() -> None:
    brand = posting.branding()
    with CaptureQueriesContext(connection) as queries:
        posting.post(brand)
    assert len(queries) == 1
    message = Message.objects.get()
    assert (message.state, message.customer_id) == (MessageState.QUEUED, brand.customer_id)


@pytest.mark.parametrize("insert", [outbox.post, outbox.suppress])
@pytest.mark.parametrize("quota", [posting.PLENTY, None], ids=["counted", "in the sandbox"])
def test_a_message_and_its_event_are_one_statement(insert: Any, quota: Quota | None) -> None:
    """C7.1: committed together."""
    brand, context = posting.branding(), factories.context(accept_language="de")
    event = NewEvent(action=actions.CODE_REQUESTED, customer_id=brand.customer_id, context=context, details={"a": [1]})
    with CaptureQueriesContext(connection) as queries:
        insert(draft=posting.draft(), branding=brand, quota=quota, now=context.now, event=event)
    assert len(queries) == 1
    written = Event.objects.get()
    assert Message.objects.get().customer_id == written.customer_id == brand.customer_id
    assert (written.action, written.details, written.ip, written.at) == (
        event.action,
        {"a": [1]},
        context.ip,
        context.now,
    )
    assert UnchainedEvent.objects.filter(event=written).exists(), "its link is due"


@pytest.mark.parametrize("insert", [outbox.post, outbox.suppress])
def test_a_spent_quota_leaves_neither_message_nor_event(insert: Any) -> None:
    event = NewEvent(action=actions.CODE_REQUESTED, context=factories.context())
    with pytest.raises(QuotaExceeded):
        insert(
            draft=posting.draft(), branding=posting.branding(), quota=Quota(0, 9), now=event.context.now, event=event
        )
    assert not Message.objects.exists() and not Event.objects.exists()


@pytest.mark.race
@pytest.mark.parametrize("quota", [Quota(daily=7, monthly=1000), Quota(daily=1000, monthly=7)])
def test_a_quota_of_n_with_ten_times_n_at_once_gives_exactly_n(quota: Quota) -> None:
    """C6: exact under any concurrency; another customer's is its own."""
    brand, other = posting.branding(), posting.branding()
    outcomes = races.at_once(70, lambda _: races.outcome(lambda: posting.post(brand, quota=quota, now=NOON)))
    assert outcomes.count("done") == 7
    assert outcomes.count("QuotaExceeded") == 63
    assert Message.objects.filter(customer_id=brand.customer_id).count() == 7
    posting.post(other, quota=quota, now=NOON)


@pytest.mark.parametrize(
    ("quota", "limit", "opens"),
    [
        (Quota(daily=1, monthly=9), quotas.CODES_PER_DAY, datetime(2026, 11, 21, tzinfo=UTC)),
        (Quota(daily=9, monthly=1), quotas.CODES_PER_MONTH, datetime(2026, 12, 1, tzinfo=UTC)),
        (Quota(daily=1, monthly=1), quotas.CODES_PER_MONTH, datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_spent_quota_says_which_it_is_and_when_it_opens_again(quota: Quota, limit: str, opens: datetime) -> None:
    brand = posting.branding()
    posting.post(brand, quota=quota, now=NOON)
    with pytest.raises(QuotaExceeded) as refused:
        posting.post(brand, quota=quota, now=NOON)
    assert refused.value.limit == limit
    assert refused.value.retry_after == (opens - NOON).total_seconds()

    posting.post(brand, quota=quota, now=opens)
    assert Message.objects.count() == 2


def test_a_quota_of_nothing_gives_nothing() -> None:
    with pytest.raises(QuotaExceeded):
        posting.post(quota=Quota(daily=0, monthly=10))
    with pytest.raises(QuotaExceeded):
        posting.post(quota=Quota(daily=10, monthly=0))
    assert Message.objects.count() == 0


def test_requests_that_cross_midnight_in_the_wrong_order_do_not_open_the_day_again() -> None:
    """Two of one customer's requests about midnight may arrive later first; each could set the counter back otherwise."""
    brand, quota = posting.branding(), Quota(daily=2, monthly=100)
    before = datetime(2026, 11, 20, 23, 59, 59, 999_000, tzinfo=UTC)
    after = before + timedelta(seconds=1)
    posting.post(brand, quota=quota, now=after)
    posting.post(brand, quota=quota, now=before)
    for now in (before, after):
        with pytest.raises(QuotaExceeded):
            posting.post(brand, quota=quota, now=now)
    assert MailQuotaUse.objects.get().sent_today == 2


def test_a_message_that_is_not_to_be_sent_uses_up_nothing_but_is_refused_like_one_that_is() -> None:
    brand, quota = posting.branding(), Quota(daily=1, monthly=9)
    now = timezone.now()
    for _ in range(3):
        outbox.suppress(draft=posting.draft(), branding=brand, quota=quota, now=now)
    posting.post(brand, quota=quota, now=now)
    with pytest.raises(QuotaExceeded):
        outbox.suppress(draft=posting.draft(), branding=brand, quota=quota, now=now)
    suppressed = Message.objects.filter(state=MessageState.SUPPRESSED)
    assert set(suppressed.values_list("content", flat=True)) == {""}


def test_where_a_message_went_is_known_by_its_id() -> None:
    message = posting.post()
    found = outbox.destination_of(message.id)
    assert found is not None
    assert (found.recipient, found.suppressed) == ("ada@example.com", False)
    assert outbox.destination_of(new_id()) is None

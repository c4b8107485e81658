"""Looking at every rule: what has reached its threshold is raised once, and told by mail; what is below it again is over."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.alerts import measures, telling
from apps.alerts.models import Alert, AlertRule
from apps.audit import actions, events
from apps.core import advisory_locks
from apps.core.context import RequestContext
from apps.customers.models import Customer
from apps.figures.models import EVERYONE

UNFINISHED = Q(acknowledged_at=None) | Q(over_at=None)


def watch(*, now: datetime) -> int:
    """Raise what is to be raised, with its mails, or nothing of it. Returns how many. Of workers at once each waits for the other."""
    with transaction.atomic():
        advisory_locks.take_turns("alerts")
        raised = [alert for rule in AlertRule.objects.filter(is_active=True) for alert in _watch_one(rule, now)]
        telling.tell(raised, now=now)
    return len(raised)


def _watch_one(rule: AlertRule, now: datetime) -> list[Alert]:
    reached = measures.reached(rule, now=now)
    unfinished = {alert.customer_id: alert for alert in Alert.objects.filter(UNFINISHED, rule=rule)}
    over = [alert.id for customer_id, alert in unfinished.items() if customer_id not in reached]
    Alert.objects.filter(id__in=over, over_at=None).update(over_at=now)
    new = {customer_id: value for customer_id, value in reached.items() if customer_id not in unfinished}
    return _raise(rule, new, now)


def _raise(rule: AlertRule, reached: Mapping[UUID, int], now: datetime) -> list[Alert]:
    names = dict(Customer.objects.filter(id__in=reached).values_list("id", "name"))
    alerts = [
        Alert(
            rule=rule,
            customer_id=customer_id,
            customer_name=names.get(customer_id, ""),
            kind=rule.kind,
            threshold=rule.threshold,
            value=value,
            since=measures.since(rule.kind, now=now),
            raised_at=now,
        )
        for customer_id, value in sorted(reached.items())
        if customer_id in names or customer_id == EVERYONE
    ]
    for alert in Alert.objects.bulk_create(alerts):
        _record(alert, now)
    return alerts


def _record(alert: Alert, now: datetime) -> None:
    events.record(
        action=actions.ALERT_RAISED,
        customer_id=None if alert.customer_id == EVERYONE else alert.customer_id,
        context=RequestContext.system(now=now),
        details={"alert": str(alert.id), "kind": alert.kind, "value": alert.value, "threshold": alert.threshold},
    )


def acknowledge(alert: Alert, *, context: RequestContext) -> bool:
    """Somebody has seen it. False if somebody had before. Of two at once one has."""
    unseen = Alert.objects.filter(id=alert.id, acknowledged_at=None)
    with transaction.atomic():
        if not unseen.update(acknowledged_at=context.now, acknowledged_by=context.actor[:200]):
            return False
        events.record(
            action=actions.ALERT_ACKNOWLEDGED,
            customer_id=None if alert.customer_id == EVERYONE else alert.customer_id,
            context=context,
            details={"alert": str(alert.id), "kind": alert.kind},
        )
    return True


def take_back_acknowledgement(alert: Alert) -> bool:
    """Somebody shall see it after all, in the caller's transaction, whose event says so.

    False if it was taken back already, or its rule has raised another one since: there is one at a time.
    """
    advisory_locks.take_turns("alerts")
    unfinished = Alert.objects.of(alert.customer_id).filter(UNFINISHED, rule_id=alert.rule_id)
    if unfinished.exclude(id=alert.id).exists():
        return False
    seen = Alert.objects.filter(id=alert.id, acknowledged_at__isnull=False)
    return bool(seen.update(acknowledged_at=None, acknowledged_by=""))

"""What rules compare with their threshold: of each customer, from hourly figures. No event is read."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from apps.alerts.models import AlertKind, AlertRule
from apps.figures import latency, quotas
from apps.figures.counting import HOUR, beginning_of_hour
from apps.figures.models import EVERYONE, FigureKind, HourlyFigure

FEWEST_ATTEMPTS = 20  # of two sign-ins that fail, half is no reason to wake anybody
MOST_QUOTAS = 1000
Counts = Mapping[tuple[str, str], int]  # by kind and label

COUNTED: Mapping[str, tuple[FigureKind, ...]] = {
    AlertKind.FAILURES: (FigureKind.SIGN_IN, FigureKind.FAILURE),
    AlertKind.MAILS_FAILED: (FigureKind.MAIL_FAILED,),
    AlertKind.SLOW_MAIL: (FigureKind.MAIL_TIME,),
    AlertKind.SECURITY: (FigureKind.SECURITY,),
}


def since(kind: str, *, now: datetime) -> datetime:
    """When what is measured began: an hour before this one; of a quota, this day."""
    return beginning_of_hour(now) - HOUR if kind != AlertKind.QUOTA else beginning_of_hour(now).replace(hour=0)


def reached(rule: AlertRule, *, now: datetime) -> dict[UUID, int]:
    """The customers at which the rule's threshold is reached, with the number. EVERYONE: what belongs to no customer."""
    measured = _quotas(rule, now) if rule.kind == AlertKind.QUOTA else _figures(rule, now)
    return {customer_id: value for customer_id, value in measured.items() if value >= rule.threshold}


def _quotas(rule: AlertRule, now: datetime) -> dict[UUID, int]:
    """The fullest quota of each."""
    customers = [rule.customer_id] if rule.customer_id else None
    found: dict[UUID, int] = {}
    for state in quotas.nearest(customers, now=now, share=rule.threshold / 100, most=MOST_QUOTAS):
        found.setdefault(state.customer_id, int(100 * state.share))
    return found


def _figures(rule: AlertRule, now: datetime) -> dict[UUID, int]:
    everyones = HourlyFigure.objects.all()
    mine = everyones.of(rule.customer_id) if rule.customer_id else everyones
    rows = mine.filter(hour__gte=since(rule.kind, now=now), kind__in=COUNTED[rule.kind])
    counts: dict[UUID, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for customer_id, kind, label, count in rows.values_list("customer_id", "kind", "label").annotate(Sum("count")):
        counts[customer_id][kind, label] += count
    if not rule.customer_id:
        _take_customers_away(counts)
    return {customer_id: _value(rule.kind, found) for customer_id, found in counts.items()}


def _take_customers_away(counts: dict[UUID, dict[tuple[str, str], int]]) -> None:
    """What is left of everyone's figures belongs to no customer."""
    everyones = counts.pop(EVERYONE, {})
    for found in list(counts.values()):
        for key, count in found.items():
            everyones[key] = everyones.get(key, 0) - count
    counts[EVERYONE] = everyones


def _value(kind: str, counts: Counts) -> int:
    if kind == AlertKind.FAILURES:
        return _percent_failed(counts)
    if kind == AlertKind.SLOW_MAIL:
        histogram = {int(label): count for (_, label), count in counts.items() if count > 0}
        return int(latency.quantile(histogram, 0.95) or 0)
    if kind == AlertKind.SECURITY:
        return sum(count for (_, label), count in counts.items() if not label.startswith("low/"))
    return sum(counts.values())


def _percent_failed(counts: Counts) -> int:
    failed = sum(count for (kind, _), count in counts.items() if kind == FigureKind.FAILURE)
    attempts = sum(counts.values())
    return 100 * failed // attempts if attempts >= FEWEST_ATTEMPTS else 0

"""The rules most installations want, for an operator who has none yet."""

from django.db import transaction

from apps.alerts.models import AlertKind, AlertRule
from apps.audit import actions, events
from apps.core.context import RequestContext

USUAL = {
    AlertKind.QUOTA: 80,  # percent
    AlertKind.FAILURES: 60,  # percent; mistyped codes alone stay far below
    AlertKind.MAILS_FAILED: 20,
    AlertKind.SLOW_MAIL: 60,  # seconds, of codes that count for minutes
    AlertKind.SECURITY: 10,
}


def add(*, context: RequestContext) -> int:
    """Add those whose kind no rule watches for every customer. Returns how many. They tell the operators who may acknowledge."""
    with transaction.atomic():
        watched = set(AlertRule.objects.filter(customer__isnull=True).values_list("kind", flat=True))
        rules = [AlertRule(kind=kind, threshold=threshold) for kind, threshold in USUAL.items() if kind not in watched]
        for rule in AlertRule.objects.bulk_create(rules):
            _record(rule, context)
    return len(rules)


def _record(rule: AlertRule, context: RequestContext) -> None:
    events.record(
        action=actions.ALERT_RULE_ADDED,
        customer_id=None,
        context=context,
        details={"row": str(rule.id), "name": str(rule), "fields": ["kind", "threshold"]},
    )

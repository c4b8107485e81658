"""The mails about alerts that were raised just now: one for each recipient, however many alerts there are."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User as Operator
from django.urls import reverse
from django.utils import translation

from apps.alerts import sentences
from apps.alerts.models import Alert, recipients_of
from apps.core import text_languages
from apps.customers import operator_mails
from apps.customers.operator_mails import OperatorDraft, OperatorMail

PERMISSION = "alerts.change_alert"
MOST_SAID = 20  # of the alerts of one mail


def tell(alerts: Sequence[Alert], *, now: datetime) -> None:
    """Post the mails, in the caller's transaction. They use up no customer's quota.

    A rule's recipients are told in its customer's language, and without a link: they need not be operators. A rule without any
    tells the operators who may acknowledge.
    """
    to_read: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    operators = list(operator_mails.readers()) if any(not alert.rule.recipients for alert in alerts) else []
    may_acknowledge = {alert.pk: _who_may_acknowledge(alert, operators) for alert in alerts}
    for alert in alerts:
        named = recipients_of(alert.rule.recipients)
        locale = alert.rule.customer.default_locale if named and alert.rule.customer else ""
        for address in named or may_acknowledge[alert.pk]:
            to_read[address, locale].append(alert)
    for (address, locale), theirs in to_read.items():
        is_operator = any(address in may_acknowledge[alert.pk] for alert in theirs)
        _post(address, locale, theirs, now, is_operator=is_operator)


def _post(address: str, locale: str, alerts: list[Alert], now: datetime, *, is_operator: bool) -> None:
    with translation.override(text_languages.served_by(locale)):
        lines = [sentences.of(alert) for alert in alerts[:MOST_SAID]]
    facts = {
        "count": len(alerts),
        "lines": "\n".join(lines),
        "more": max(len(alerts) - MOST_SAID, 0),
        "admin_link": settings.PUBLIC_URL + reverse("admin:alerts_alert_changelist") if is_operator else "",
    }
    draft = OperatorDraft(kind=OperatorMail.ALERTS, address=address, locale=locale, facts=facts)
    operator_mails.post(draft, now=now)


def _who_may_acknowledge(alert: Alert, operators: Sequence[Operator]) -> list[str]:
    """Not those who are limited to other customers."""
    return [operator_mails.address_of(each) for each in operators if each.has_perm(PERMISSION, alert)]

"""What needs somebody now: said as what to do, with the rows that it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts.models import Alert
from apps.approvals import approval_queue
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.figures.models import FigureKind
from apps.figures.quotas import QuotaState
from apps.mail.models import Message
from apps.operators.overview import names
from apps.operators.overview.breakdowns import NEAR
from apps.operators.overview.tiles import Shown

MOST_COUNTED = 1000  # who wait for approval: counting goes no further
LATE = timedelta(minutes=5)  # figures are counted twice a minute


@dataclass(frozen=True)
class Task:
    """`grave`: before all others."""

    text: str
    url: str
    grave: bool = False


def of(shown: Shown, quotas: list[QuotaState]) -> Iterator[Task]:
    if shown.may_view(Alert):
        yield from _of_alerts(shown)
    if shown.may_view(Event):
        yield from _of_security(shown)
    if shown.may_view(Message):
        yield from _of_mails(shown)
    if shown.may_view(IdentityCheck):
        yield from _of_approvals(shown)
    if shown.may_view(Customer):
        yield from _of_quotas(quotas)


def _of_alerts(shown: Shown) -> Iterator[Task]:
    count = _count(Alert.objects.filter(acknowledged_at=None), shown)
    if count:
        text = ngettext("Acknowledge %s alert", "Acknowledge %s alerts", count)
        of_customer = {"customer_id__exact": str(shown.customer_id)} if shown.customer_id else {}
        url = reverse("admin:alerts_alert_changelist", query={"acknowledged": "no", **of_customer})
        yield Task(text % _number(count), url, grave=True)


def late(shown: Shown, *, now: datetime) -> str:
    """What to say if the figures are not those of now; empty if they are."""
    counted_at = shown.figures.counted_at.get("events")
    if counted_at is None:
        return _("Nothing has been counted yet. A worker of the queue “maintenance”, and beat, count within a minute.")
    if now - counted_at > LATE:
        return _("Counted up to %s UTC only: does a worker of the queue “maintenance” run, and beat?") % (
            f"{counted_at:%Y-%m-%d %H:%M}"
        )
    if shown.figures.missing:
        return _("Not counted yet, of this time: %s. That will be soon.") % names.hours(shown.figures.missing)
    return ""


def _of_security(shown: Shown) -> Iterator[Task]:
    rows = shown.rows("events")
    for label, count in shown.figures.by_label(FigureKind.SECURITY).items():
        if label.startswith(("high/", "critical/")):
            text = ngettext(
                "Look into %(count)s security event: %(what)s", "Look into %(count)s security events: %(what)s", count
            )
            facts = {"what": names.security(label), "count": number_format(count, force_grouping=True)}
            yield Task(text % facts, rows.of(FigureKind.SECURITY, label), grave=True)


def _of_mails(shown: Shown) -> Iterator[Task]:
    failed = shown.figures.total(FigureKind.MAIL_FAILED)
    if failed:
        text = ngettext("See why %s mail failed", "See why %s mails failed", failed)
        yield Task(text % number_format(failed, force_grouping=True), shown.rows("mails").of(FigureKind.MAIL_FAILED))


def _of_approvals(shown: Shown) -> Iterator[Task]:
    count = _count(approval_queue.for_operators(), shown)
    if count:
        text = ngettext("Approve or reject %s user", "Approve or reject %s users", count)
        of_customer = {"customer__id__exact": str(shown.customer_id)} if shown.customer_id else {}
        query = {"state__exact": "waiting", **of_customer}
        yield Task(text % _number(count), reverse("admin:approvals_identitycheck_changelist", query=query))


def _count(rows: QuerySet[Any], shown: Shown) -> int:
    """How many are of the customers that are shown; no more than one beyond MOST_COUNTED."""
    of_customers = rows if shown.customers is None else rows.filter(customer_id__in=shown.customers)
    return of_customers[: MOST_COUNTED + 1].count()


def _number(count: int) -> str:
    return _("more than %s") % f"{MOST_COUNTED:,}" if count > MOST_COUNTED else str(count)


def _of_quotas(quotas: list[QuotaState]) -> Iterator[Task]:
    for state in quotas:
        if state.share >= NEAR:
            text = _("Raise a quota or find out why: %(customer)s has used %(share)s of its %(quota)s") % {
                "customer": state.customer,
                "share": names.percent(state.used, state.allowed),
                "quota": names.QUOTAS[state.quota],
            }
            yield Task(
                text, reverse("admin:customers_customer_change", args=[state.customer_id]), grave=state.share >= 1
            )

"""The numbers on the first page. Each operator sees those of the lists that it may look at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.approvals import approval_queue
from apps.audit.models import Event, Severity
from apps.customers.models import Customer
from apps.mail.models import Message, MessageState
from apps.tokens.models import Session
from apps.users.models import User

ALARMING = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True)
class Number:
    """A tile as the page shows it: what it counts, how many there are, and the list behind it. `bad`: someone should look."""

    label: str
    value: int
    url: str
    bad: bool = False


@dataclass(frozen=True)
class _Tile:
    """A tile that is not counted yet, and the query of its list. `alarming`: even one row is bad."""

    label: str
    rows: QuerySet[Any]
    query: str = ""
    alarming: bool = False


def numbers(may_view: Callable[[type[Model]], bool]) -> list[Number]:
    """What there is at this moment, of the models that `may_view` allows."""
    return [_number(tile) for tile in _tiles(timezone.now()) if may_view(tile.rows.model)]


def _tiles(now: datetime) -> list[_Tile]:
    day_ago = now - timedelta(days=1)
    unsent = Message.objects.filter(state__in=(MessageState.QUEUED, MessageState.TAKEN))
    failed = Message.objects.filter(state=MessageState.FAILED, created_at__gte=day_ago)
    alarms = Event.objects.filter(severity__in=ALARMING, at__gte=day_ago)
    return [
        _Tile(_("Customers"), Customer.objects.all()),
        _Tile(_("Users"), User.objects.all()),
        _Tile(_("Users to approve"), approval_queue.for_operators(), "?state__exact=waiting"),
        _Tile(_("Living sessions"), Session.objects.all().alive(now)),
        _Tile(_("Mails waiting"), unsent, "?state__exact=queued"),
        _Tile(_("Mails failed, 24\u00a0h"), failed, "?state__exact=failed", alarming=True),
        _Tile(_("Security events, 24\u00a0h"), alarms, alarming=True),
    ]


def _number(tile: _Tile) -> Number:
    options, value = tile.rows.model._meta, tile.rows.count()
    page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return Number(tile.label, value, page + tile.query, bad=tile.alarming and value > 0)

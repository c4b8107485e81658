"""What the list of audit events is narrowed by. Each filter is answered by an index, however many events there are."""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import translation
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.audit import actions, refusals, sentences
from apps.audit.models import Event, EventQuerySet, Outcome, Severity
from apps.core import actors
from apps.core.errors import ValidationFailed
from apps.core.ids import parse_id
from apps.customers.models import Customer, CustomerDeletion
from apps.operators.lists import counts
from apps.operators.team import scope
from apps.users import emails
from apps.users.models import User

SELECTED, END = mark_safe(" selected"), mark_safe("</select>")
AT = "%Y-%m-%dT%H:%M"
TIMES = (f"{AT}:%S", AT, "%Y-%m-%d")
MOST_REFUSALS = 1000  # of one address; the same refusal within ten minutes is one
MOST_USERS = 1000  # with one address, at as many customers
MOST_OF_NETWORK = 50_000  # events, as PostgreSQL estimates them
# When the network's events of these customers were, by one index alone. PostgreSQL would rather unite all that the network has with
# all that the customers have: 436,067 events, to find 850 among 19,606.
TIMES_OF_NETWORK = """
WITH of_network AS MATERIALIZED (SELECT at, customer_id FROM audit_event WHERE ip >= %s AND ip <= %s)
SELECT at FROM of_network WHERE customer_id = ANY(%s)
"""
Events = EventQuerySet[Event]
Row = TypeVar("Row", bound=Model)


class EventFilter(admin.SimpleListFilter):
    """One field of the form above the list. Django applies it; the form shows it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[Any]:
        return ()

    def has_output(self) -> bool:
        """Django applies no filter that says no."""
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = (self.value() or "").strip()
        try:
            return self.narrowed(queryset, value) if value else queryset
        except (ValueError, ValidationFailed) as error:
            raise IncorrectLookupParameters from error

    def narrowed(self, events: Events, value: str) -> Events:
        raise NotImplementedError

    def visible(self, rows: "QuerySet[Row]") -> "QuerySet[Row]":
        """Of rows that lead to events, those that the operator may see."""
        return scope.of(self.request).narrow(rows)


class Since(EventFilter):
    title, parameter_name = _("From (UTC)"), "since"

    def narrowed(self, events: Events, value: str) -> Events:
        return events.filter(at__gte=_time(value))


class Until(EventFilter):
    """The minute, or the day, that is named is within the range."""

    title, parameter_name = _("To (UTC)"), "until"

    def narrowed(self, events: Events, value: str) -> Events:
        is_day = len(value) == len("2026-01-01")
        return events.filter(at__lt=_time(value) + (timedelta(days=1) if is_day else timedelta(minutes=1)))


class ExactFilter(EventFilter):
    """The parameter is named like the field whose value it is."""

    def narrowed(self, events: Events, value: str) -> Events:
        return events.filter(**{str(self.parameter_name): value})


class What(ExactFilter):
    title, parameter_name = _("What"), "action"


class HowItEnded(ExactFilter):
    title, parameter_name = _("Outcome"), "outcome"


class HowGrave(ExactFilter):
    title, parameter_name = _("Severity"), "severity"


class OfCustomer(EventFilter):
    """By id, short name or name, also of one that was deleted."""

    title, parameter_name = _("Customer"), "customer"

    def narrowed(self, events: Events, value: str) -> Events:
        customer_id = parse_id(value)
        if customer_id is not None:
            return events.of(customer_id)
        called = Q(slug=value.lower()) | Q(name=value)
        named = self.visible(Customer.objects.filter(called)).order_by().values_list("id", flat=True)
        deleted = self.visible(CustomerDeletion.objects.filter(called)).values_list("id", flat=True)
        return events.filter(customer_id__in=list(named.union(deleted)[:MOST_USERS]))


class OfAddress(EventFilter):
    """What happened to the users who have the address, and what was refused to it, which its keyed hash finds."""

    title, parameter_name = _("Email address"), "address"

    def narrowed(self, events: Events, value: str) -> Events:
        identity = emails.parse(value).identity
        having = self.visible(User.objects.filter(email_identity=identity))
        users = list(having.values_list("customer_id", "id")[:MOST_USERS])
        refused = self.visible(refusals.of_address(identity)).order_by("-first_at")
        found = Q(id__in=list(refused.values_list("event_id", flat=True)[:MOST_REFUSALS]))
        for customer_id, user_id in users:
            found |= Q(customer_id=customer_id, user_id=user_id)
        return events.filter(found)


class FromWhere(EventFilter):
    """An IP address, or a network."""

    title, parameter_name = _("IP address or network"), "ip"

    def narrowed(self, events: Events, value: str) -> Events:
        network = ipaddress.ip_network(value, strict=False)
        if network.num_addresses == 1:
            return events.filter(ip=str(network.network_address))
        first, last = str(network.network_address), str(network.broadcast_address)
        within = Q(ip__gte=first, ip__lte=last)
        customers = scope.of(self.request).customers
        if customers is None or not self._is_found_first(events, within):
            return events.filter(within)
        times = RawSQL(TIMES_OF_NETWORK, [first, last, list(customers)])  # noqa: S611  (a constant)
        return events.filter(within, at__in=times)

    def _is_found_first(self, events: Events, within: Q) -> bool:
        """Whether the network has few events, and fewer than the customers whom the operator may see."""
        of_network = counts.estimate(Event.objects.filter(within))
        return of_network <= MOST_OF_NETWORK and of_network < counts.estimate(events)


class OfRequest(EventFilter):
    title, parameter_name = _("Request id"), "request_id"

    def narrowed(self, events: Events, value: str) -> Events:
        return events.filter(request_id=value).exclude(request_id="")


class ByOperator(EventFilter):
    title, parameter_name = _("Operator"), "who"

    def narrowed(self, events: Events, value: str) -> Events:
        name = value.removeprefix(actors.operator(""))
        # The second condition is that of the index.
        return events.filter(actor=actors.operator(name), actor__startswith=actors.operator(""))


FILTERS = (Since, Until, What, OfCustomer, OfAddress, FromWhere, OfRequest, ByOperator, HowItEnded, HowGrave)
NAMES = tuple(each.parameter_name for each in FILTERS)


def _time(text: str) -> datetime:
    """Raises ValueError."""
    for form in TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(text)


class WrittenChoices(UnfoldAdminSelectWidget):
    """A select whose options are written by one line of Python. A template for each of 130 took a sixth of the page's time."""

    def optgroups(self, *_args: Any, **_options: Any) -> list[Any]:
        """None for the template."""
        return []

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = self.format_value(value)
        rows = ((key, SELECTED if str(key) in chosen else "", label) for key, label in self.choices)
        options = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        return mark_safe(super().render(name, value, attrs, renderer).replace(END, options + END, 1))  # noqa: S308  (both are safe)


class FilterForm(forms.Form):
    """The filters to fill in, in the order in which operators need them."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(initial=values, auto_id="filter_%s")
        for each in FILTERS:
            self.fields[each.parameter_name] = _field(each)


def _field(each: type[EventFilter]) -> forms.Field:
    if each in CHOICES:
        choices = [("", _("all")), *CHOICES[each]()]
        return forms.ChoiceField(label=each.title, choices=choices, required=False, widget=WrittenChoices)
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    if each in (Since, Until):
        attributes["type"] = "datetime-local"
    return forms.CharField(label=each.title, required=False, widget=UnfoldAdminTextInputWidget(attrs=attributes))


def _actions() -> list[tuple[str, str]]:
    return _actions_in(translation.get_language() or "")


@lru_cache
def _actions_in(_language: str) -> list[tuple[str, str]]:
    """In the present language."""
    return sorted(((name, sentences.pattern(name)) for name in actions.ALL), key=lambda choice: choice[1])


CHOICES: dict[type[EventFilter], Any] = {
    What: _actions,
    HowItEnded: lambda: Outcome.choices,
    HowGrave: lambda: Severity.choices,
}


def form_of(request: HttpRequest) -> FilterForm:
    return FilterForm({name: request.GET[name] for name in NAMES if name in request.GET})


def others(request: HttpRequest) -> list[tuple[str, str]]:
    """What else of the query narrows the list: a link from another page has set it."""
    left_out = {*NAMES, *NO_FILTERS}
    return [(name, value) for name, values in request.GET.lists() if name not in left_out for value in values]


NO_FILTERS = (PAGE_VAR, "after", "before", "o", "e", "q")


def told(request: HttpRequest) -> dict[str, str]:
    """How the list is filtered, for an event. An address is not named there: events stay when its user is erased."""
    given = {name: request.GET[name] for name in NAMES if request.GET.get(name)} | dict(others(request))
    return {name: "…" if name == OfAddress.parameter_name else value[:200] for name, value in given.items()}

"""How the admin writes what events are about: by name, with a link, as far as the operator may see it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.audit import actions, sentences
from apps.audit.models import Event
from apps.core import actors
from apps.core.ids import parse_id
from apps.customers.models import Customer, CustomerDeletion
from apps.operators import refusal_texts
from apps.operators.questions import address_of
from apps.users.models import User

LINK = '<a class="underline" href="{}">{}</a>'
LIST = "admin:audit_event_changelist"
OTHERS = {
    actors.ANONYMOUS: lazy("Somebody"),
    actors.SYSTEM: lazy("Gatehouse"),
    actors.API_KEY: lazy("The API key %(name)s"),
    actors.IDENTITY_CHECK: lazy("An identity check"),
}
Write = Callable[[str, str], str]  # an address and a name, written as one


def as_link(address: str, name: str) -> str:
    return format_html(LINK, address, name)


def as_text(_address: str, name: str) -> str:
    return name


def kind_of_actor(actor: str) -> str:
    """Who acted, where nothing leads on from the name."""
    kind, name = actors.parts(actor)
    if kind == actors.OPERATOR:
        return name
    return str(OTHERS[kind]) % {"name": name} if kind in OTHERS else actor


class EventNames(sentences.PlainNaming):
    """The names of what these events are about: one query for the customers, one for the users."""

    def __init__(self, request: HttpRequest, site: AdminSite, events: Iterable[Event], write: Write = as_link) -> None:
        listed = list(events)
        self._write = write
        customers = _rows(request, site, Customer, {event.customer_id for event in listed}, "name")
        may_open = site.get_model_admin(Customer).has_view_permission(request)
        self._customers = self._named(customers) if may_open else {row.pk: name for row, name in customers.items()}
        self._deleted = self._names_of_deleted(request, site, listed)
        self._users = self._named(_rows(request, site, User, _users_of(listed), "email"))

    def actor(self, actor: str) -> str:
        kind, name = actors.parts(actor)
        if kind == actors.OPERATOR:
            return self._write(reverse(LIST, query={"who": name}), name)
        if kind == actors.USER and (user_id := parse_id(name)):
            return self.user(user_id)
        return kind_of_actor(actor)

    def customer(self, customer_id: UUID) -> str:
        return self._customers.get(customer_id) or self._deleted.get(customer_id) or _("a customer (%s)") % customer_id

    def user(self, user_id: UUID) -> str:
        """One who was erased has no name any more."""
        return self._users.get(user_id) or _("a user (%s)") % user_id

    def rule(self, name: str) -> str:
        return refusal_texts.rule(name) if name else _("not known")

    def step(self, name: str) -> str:
        return refusal_texts.happened(actions.REFUSED, name)

    def _names_of_deleted(self, request: HttpRequest, site: AdminSite, events: list[Event]) -> Mapping[UUID, str]:
        """Of customers that are gone, for operators who may read of customers. One query, if there are any."""
        gone = {event.customer_id for event in events if event.customer_id and event.customer_id not in self._customers}
        if not gone or not site.get_model_admin(Customer).has_view_permission(request):
            return {}
        return {
            row.id: self._write(
                reverse("admin:customers_customer_deletion", args=[row.id]), _("deleted customer %s") % row
            )
            for row in CustomerDeletion.objects.filter(id__in=gone)
        }

    def _named(self, rows: Mapping[Model, str]) -> Mapping[UUID, str]:
        return {row.pk: self._write(address_of(row), name) for row, name in rows.items()}


def _users_of(events: Iterable[Event]) -> set[UUID | None]:
    listed = list(events)
    acting = {
        parse_id(name) for kind, name in map(actors.parts, (event.actor for event in listed)) if kind == actors.USER
    }
    return {*(event.user_id for event in listed), *acting}


def _rows(
    request: HttpRequest, site: AdminSite, model: Any, wanted: set[UUID | None], column: str
) -> Mapping[Model, str]:
    """Those rows that the operator's own list of them holds, with their names."""
    page: Any = site.get_model_admin(model)
    ids = wanted - {None}
    if not ids or not page.may_choose(request):
        return {}
    rows = page.get_queryset(request).filter(pk__in=ids).only("pk", column)
    return {row: getattr(row, column) for row in rows}

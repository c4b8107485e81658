"""Undoing a change from its event: what it changed goes back to what was before, if nobody has changed it since."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.alerts import watching
from apps.alerts.models import Alert
from apps.audit import actions, events
from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.customers import lifecycle as customers
from apps.customers import limits
from apps.customers.models import AllowedNetwork, Customer, LimitOverride
from apps.figures.models import EVERYONE
from apps.oauth import clients
from apps.oauth.models import RegisteredClient
from apps.operators.changes import changing_users, consequences
from apps.operators.errors import ChangedSince
from apps.operators.questions import Question
from apps.users import lifecycle as users
from apps.users import permission_names, roles
from apps.users.models import Permission, Role, User

Values = Mapping[str, Any]
Changes = Mapping[str, tuple[Any, Any]]  # each field, before and after


def _told(event: Event) -> Changes:
    """What the event tells of each field. Nothing, if it hides one: a change is undone as a whole or not at all."""
    found = event.details.get("changes") or {}
    if not all("after" in pair for pair in found.values()):
        return {}
    return {name: (pair["before"], pair["after"]) for name, pair in found.items()}


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How changes of one kind are undone. `find`: the row, locked. `now`: its values. `restore`: by the flow that changes it."""

    permission: str
    find: Callable[[Event], Any]
    restore: Callable[[Any, Values, RequestContext], object]
    now: Callable[[Any, Collection[str]], Values] = lambda row, names: {name: getattr(row, name) for name in names}
    changed: Callable[[Event], Changes] = _told


@dataclass(frozen=True)
class Undo:
    """What would be undone."""

    event: Event
    row: Model
    changes: Changes
    permission: str

    @property
    def before(self) -> dict[str, Any]:
        return {name: before for name, (before, _after) in self.changes.items()}

    def question(self) -> tuple[Question, bool]:
        """What it does, and whether that is grave."""
        lines = [
            _("%(field)s: from %(after)s back to %(before)s.")
            % {"field": name, "after": _readable(after), "before": _readable(before)}
            for name, (before, after) in self.changes.items()
        ]
        title = _("Undo this change of %s?") % self.row
        grave = consequences.of_policy(self.row, self.before) if isinstance(self.row, Customer) else None
        if grave is None:
            return Question(title, lines, button=_("Undo")), False
        return Question(title, [*lines, *grave.explanation], button=_("Undo"), numbers=grave.numbers), True


def of(event: Event) -> Undo | None:
    """None for an event that changed nothing that can be set back, and when its row is gone."""
    kind = _kind_of(event)
    changed = kind.changed(event) if kind else {}
    if kind is None or not changed:
        return None
    with transaction.atomic():
        row = kind.find(event)
    return Undo(event, row, changed, kind.permission) if row else None


def is_back(found: Undo) -> bool:
    """Whether everything is as it was before the change: it has been undone, or changed back."""
    kind = _kind_of(found.event)
    if kind is None:
        return False
    with transaction.atomic():
        row = kind.find(found.event)
        return bool(row) and _has(kind, row, found.before)


def undo(event: Event, context: RequestContext) -> None:
    """Set it back. Raises ChangedSince, and what the flow raises that changes such a row."""
    kind = _kind_of(event)
    with transaction.atomic():
        row, changed = (kind.find(event), kind.changed(event)) if kind else (None, {})
        if (
            kind is None
            or row is None
            or not _has(kind, row, {name: after for name, (_before, after) in changed.items()})
        ):
            raise ChangedSince
        kind.restore(row, {name: before for name, (before, _after) in changed.items()}, context)
        events.record(
            action=actions.CHANGE_UNDONE,
            customer_id=event.customer_id,
            user_id=event.user_id,
            details={"event": str(event.id), "action": event.action},
            context=context,
        )


def _has(kind: "_Kind", row: Any, values: Values) -> bool:
    return all(kind.now(row, [name])[name] == value for name, value in values.items())


def _readable(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _("nothing") if value in (None, "") else str(value)


def _locked(model: Any, customer_id: Any, **which: Any) -> Any:
    return model.objects.of(customer_id).select_for_update(no_key=True).filter(**which).first()


def _customer(event: Event) -> Any:
    which: Any = event.customer_id
    return Customer.objects.select_for_update(no_key=True).filter(id=which).first()


def _user(event: Event) -> Any:
    return _locked(User, event.customer_id, id=event.user_id)


def _alert(event: Event) -> Any:
    return _locked(Alert, event.customer_id or EVERYONE, id=event.details["alert"])


def _restore_alert(alert: Alert, _values: Values, _context: RequestContext) -> None:
    if not watching.take_back_acknowledgement(alert):
        raise ChangedSince


def _client(event: Event) -> Any:
    return _locked(RegisteredClient, event.customer_id, id=event.details["client"])


def _kind_of(event: Event) -> "_Kind | None":
    if event.action == actions.POLICY_CHANGED and "limit" in event.details:
        return _limit(event.details["limit"])
    return KINDS.get(event.action)


def _limit(name: str) -> "_Kind":
    """A limit as it counts: the customer's own, or the default."""

    def now(customer: Customer, _names: Collection[str]) -> Values:
        found: Any = LimitOverride.objects.of(customer.id).filter(name=name).first() or limits.DEFAULTS[name]
        return {"count": found.count, "window": found.window}

    def restore(customer: Customer, values: Values, context: RequestContext) -> None:
        wanted, default = {**now(customer, ()), **values}, limits.DEFAULTS[name]
        if wanted == {"count": default.count, "window": default.window}:
            customers.restore_limit(customer=customer, name=name, context=context)
        else:
            customers.override_limit(customer=customer, name=name, **wanted, context=context)

    return _Kind(permission="customers.change_customer", find=_customer, now=now, restore=restore)


def _networks_now(customer: Customer, _names: Collection[str]) -> Values:
    return {"networks": sorted(AllowedNetwork.objects.of(customer.id).values_list("network", flat=True))}


def _restore_networks(customer: Customer, values: Values, context: RequestContext) -> None:
    """Those that are there keep their notes; those that come back have none."""
    notes = dict(AllowedNetwork.objects.of(customer.id).values_list("network", "note"))
    networks = {network: notes.get(network, "") for network in values["networks"]}
    customers.replace_allowlist(customer=customer, networks=networks, context=context)


KINDS: Mapping[str, _Kind] = {
    actions.POLICY_CHANGED: _Kind(
        permission="customers.change_customer",
        find=_customer,
        restore=lambda row, values, context: customers.update_policy(customer=row, changes=values, context=context),
    ),
    actions.ALLOWLIST_CHANGED: _Kind(
        permission="customers.change_customer",
        find=_customer,
        now=_networks_now,
        restore=_restore_networks,
    ),
    actions.CUSTOMER_SUSPENDED: _Kind(
        permission="customers.change_customer",
        find=_customer,
        changed=lambda _event: {"status": ("active", "suspended")},
        restore=lambda row, _values, context: customers.reactivate(row, context=context),
    ),
    actions.USER_CHANGED: _Kind(
        permission="users.change_user",
        find=_user,
        restore=changing_users.change,
    ),
    actions.USER_DEACTIVATED: _Kind(
        permission="users.change_user",
        find=_user,
        changed=lambda _event: {"status": ("active", "deactivated")},
        restore=lambda row, _values, context: users.reactivate(row, context=context),
    ),
    actions.ROLE_CHANGED: _Kind(
        permission="users.change_role",
        find=lambda event: _locked(Role, event.customer_id, name=event.details["role"]),
        restore=lambda row, values, context: roles.change(row, **values, context=context),
    ),
    actions.PERMISSION_CHANGED: _Kind(
        permission="users.change_permission",
        find=lambda event: _locked(Permission, event.customer_id, name=event.details["permission"]),
        restore=lambda row, values, context: permission_names.describe(row, **values, context=context),
    ),
    actions.ALERT_ACKNOWLEDGED: _Kind(
        permission="alerts.change_alert",
        find=_alert,
        now=lambda row, _names: {"acknowledged": row.acknowledged_at is not None},
        changed=lambda _event: {"acknowledged": (False, True)},
        restore=_restore_alert,
    ),
    actions.OAUTH_CLIENT_CHANGED: _Kind(
        permission="oauth.change_registeredclient",
        find=_client,
        restore=lambda row, values, context: clients.change(row, changes=values, context=context),
    ),
    actions.OAUTH_CLIENT_DISABLED: _Kind(
        permission="oauth.change_registeredclient",
        find=_client,
        changed=lambda _event: {"is_active": (True, False)},
        restore=lambda row, _values, context: clients.enable(row, context=context),
    ),
}

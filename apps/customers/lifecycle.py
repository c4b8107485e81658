"""A customer's life: made, changed, suspended, reactivated. Each change is audited and takes effect at once."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.audit import actions, before_and_after, events
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed, refused_by_field
from apps.core.state.announcements import announce
from apps.customers import keyring, limits, state
from apps.customers.errors import CustomerBeingDeleted
from apps.customers.models import AllowedNetwork, Customer, CustomerDeletion, CustomerStatus, LimitOverride
from apps.customers.validation import canonical_network

SLUG_OF_DELETED = _("A deleted customer had this short name. Nobody gets it again.")
FIXED = {"id", "slug", "status"}  # changed in other ways, or never


def was_deleted(slug: str) -> bool:
    """Whether a customer that is gone had this short name."""
    return CustomerDeletion.objects.filter(slug=slug).exists()


def create(*, name: str, slug: str, context: RequestContext, **policy: Any) -> Customer:
    """A customer with secrets of its own. Raises ValidationFailed."""
    customer = Customer(name=name, slug=slug, **policy)
    register(customer, context=context)
    return customer


def register(customer: Customer, *, context: RequestContext) -> None:
    """Save a new customer and give it secrets. Raises ValidationFailed."""
    _validate(customer)
    if was_deleted(customer.slug):
        raise ValidationFailed(fields={"slug": [str(SLUG_OF_DELETED)]})
    insert(customer, context=context)


def insert(customer: Customer, *, context: RequestContext) -> None:
    """Save a new customer that is known to be valid, and give it secrets."""
    with transaction.atomic():
        customer.save(force_insert=True)
        keyring.create_secret(customer, now=context.now)
        _record(actions.CUSTOMER_CREATED, customer.id, context, slug=customer.slug)


def update_policy(*, customer: Customer, changes: Mapping[str, Any], context: RequestContext) -> None:
    """Change policy fields. Another algorithm rotates the secrets gracefully.

    Raises ValidationFailed, also for fields that cannot be changed.
    """
    if FIXED & changes.keys():
        raise ValidationFailed(fields={name: ["This cannot be changed."] for name in FIXED & changes.keys()})
    for name, value in changes.items():
        setattr(customer, name, value)
    with refused_by_field():
        customer.full_clean(exclude=["id", "slug"], validate_unique=False, validate_constraints=False)
    with transaction.atomic():
        before = Customer.objects.select_for_update().get(id=customer.id)
        customer.save(update_fields=[*changes, "updated_at"])
        after = Customer.objects.get(id=customer.id)  # an operator's page may have been loaded before other changes
        facts = {"fields": sorted(changes), "changes": before_and_after.of_rows(before, after, changes)}
        _record(actions.POLICY_CHANGED, customer.id, context, **facts)
        keyring.follow_policy(before, after, context=context)
        announce(state.subject(customer.id))


def note_owner(customer_id: UUID) -> None:
    """The owner of a customer that signed up has proven an address: its mails may carry its name. In the caller's transaction."""
    if Customer.objects.filter(id=customer_id, owner_is_proven=False).update(owner_is_proven=True):
        announce(state.subject(customer_id))


def suspend(customer: Customer, *, context: RequestContext, reason: str = "") -> None:
    """From the next request on, every path answers 403 customer_suspended, also to its tokens. `reason`: for the audit trail.

    Raises CustomerBeingDeleted.
    """
    said = {"reason": reason} if reason else {}
    _set_status(customer, CustomerStatus.SUSPENDED, actions.CUSTOMER_SUSPENDED, context, **said)


def reactivate(customer: Customer, *, context: RequestContext) -> None:
    """Raises CustomerBeingDeleted."""
    _set_status(customer, CustomerStatus.ACTIVE, actions.CUSTOMER_REACTIVATED, context)


def replace_allowlist(*, customer: Customer, networks: Mapping[str, str], context: RequestContext) -> None:
    """Only these networks (network → note) may use the customer's keys; with none, everybody may. Raises ValidationFailed."""
    try:
        wanted = {canonical_network(network): note for network, note in networks.items()}
    except ValidationError as error:
        raise ValidationFailed(fields={"networks": list(error.messages)}) from error
    rows = [AllowedNetwork(customer=customer, network=network, note=note) for network, note in wanted.items()]
    for row in rows:
        _validate(row)
    with transaction.atomic():
        _lock(customer)
        before = list(customer.allowed_networks.values_list("network", flat=True))
        customer.allowed_networks.exclude(network__in=wanted).delete()
        AllowedNetwork.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["customer", "network"], update_fields=["note"]
        )
        changed = before_and_after.differences({"networks": sorted(before)}, {"networks": sorted(wanted)})
        _record(actions.ALLOWLIST_CHANGED, customer.id, context, networks=sorted(wanted), changes=changed)
        announce(state.subject(customer.id))


def override_limit(*, customer: Customer, name: str, count: int, window: int, context: RequestContext) -> None:
    """Give this customer its own limit: `count` in `window` seconds. Raises ValidationFailed."""
    with transaction.atomic():
        _lock(customer)
        present = LimitOverride.objects.of(customer.id).filter(name=name).first()
        override = present or LimitOverride(customer=customer, name=name)
        before = _in_force(name, present)
        override.count, override.window = count, window
        _validate(override)
        override.save()
        changed = before_and_after.differences(before, _in_force(name, override))
        facts = {"limit": name, "count": count, "window": window, "changes": changed}
        _record(actions.POLICY_CHANGED, customer.id, context, **facts)
        announce(state.subject(customer.id))


def restore_limit(*, customer: Customer, name: str, context: RequestContext) -> None:
    """Return to the default limit. Nothing changes if it holds already."""
    with transaction.atomic():
        present = LimitOverride.objects.of(customer.id).select_for_update().filter(name=name).first()
        if present is not None:
            present.delete()
            changed = before_and_after.differences(_in_force(name, present), _in_force(name, None))
            _record(actions.POLICY_CHANGED, customer.id, context, limit=name, restored=True, changes=changed)
        announce(state.subject(customer.id))


def _in_force(name: str, override: LimitOverride | None) -> dict[str, int]:
    """The limit as it counts: the customer's own, or the default."""
    limit = override or limits.DEFAULTS.get(name)  # an unknown name is refused a moment later
    return {"count": limit.count, "window": limit.window} if limit else {}


def _lock(customer: Customer) -> None:
    """Two changes of the same list or limit happen one after the other."""
    Customer.objects.select_for_update(no_key=True).get(id=customer.id)


def _set_status(
    customer: Customer, status: CustomerStatus, action: str, context: RequestContext, **details: str
) -> None:
    with transaction.atomic():
        before = Customer.objects.select_for_update(no_key=True).get(id=customer.id)
        if before.status == CustomerStatus.DELETING:
            raise CustomerBeingDeleted
        customer.status = status
        customer.suspended_at = (before.suspended_at or context.now) if status == CustomerStatus.SUSPENDED else None
        customer.save(update_fields=["status", "suspended_at", "updated_at"])
        _record(action, customer.id, context, **details)
        announce(state.subject(customer.id))


def _validate(row: Customer | LimitOverride | AllowedNetwork) -> None:
    with refused_by_field():
        # An id is drawn at random: nobody has it. A short name that another customer has is found before the constraint is.
        row.full_clean(exclude=["id", "customer"], validate_constraints=isinstance(row, LimitOverride))


def _record(action: str, customer_id: UUID, context: RequestContext, **details: Any) -> None:
    events.record(action=action, customer_id=customer_id, context=context, details=details)

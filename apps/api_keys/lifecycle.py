"""A key's life: made and shown once, rotated with an overlap, revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.api_keys import keys, state
from apps.api_keys.models import ApiKey, Environment, Scope, default_scopes
from apps.audit import actions, events
from apps.core import ciphers
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed, refused_by_field
from apps.core.state.announcements import announce
from apps.customers.models import Customer

LONGEST_OVERLAP = timedelta(days=90)


def create(
    *,
    customer: Customer,
    name: str,
    environment: str = Environment.LIVE,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    context: RequestContext,
) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself, which is stored nowhere. Raises ValidationFailed."""
    wanted = list(scopes) if scopes is not None else default_scopes()
    _validate(scopes=wanted, expires_at=expires_at, now=context.now)
    with transaction.atomic():
        row, text = _insert(customer, name, environment, wanted, expires_at, context.now)
        _record(actions.API_KEY_CREATED, row, context)
    return row, text


def rotate(key: ApiKey, *, overlap: timedelta, context: RequestContext) -> tuple[ApiKey, str]:
    """A successor with the same rights; the old key still works for `overlap`. Raises ValidationFailed."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationFailed(fields={"overlap": [f"Choose from 0 to {LONGEST_OVERLAP.days} days."]})
    with transaction.atomic():
        old = ApiKey.objects.select_for_update().select_related("customer").get(id=key.id)
        if old.revoked_at or old.replaced_by_id:
            raise ValidationFailed(fields={"key": ["This key was revoked or has a successor already."]})
        row, text = _insert(old.customer, old.name, old.environment, old.scopes, old.expires_at, context.now)
        old.replaced_by = row
        old.expires_at = min(filter(None, (old.expires_at, context.now + overlap)))
        old.save(update_fields=["replaced_by", "expires_at"])
        _record(actions.API_KEY_ROTATED, old, context, successor=row.key_id)
        announce(state.subject(old.customer_id, old.key_id))
    return row, text


def revoke(key: ApiKey, *, context: RequestContext) -> None:
    """The key is worthless from the next request on. Revoking it again changes nothing."""
    with transaction.atomic():
        if ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=context.now):
            _record(actions.API_KEY_REVOKED, key, context)
        announce(state.subject(key.customer_id, key.key_id))


def touch(key_id: str, *, now: datetime) -> None:
    """Note that the key was used."""
    ApiKey.objects.filter(key_id=key_id).update(last_used_at=now)


def _insert(
    customer: Customer, name: str, environment: str, scopes: list[str], expires_at: datetime | None, now: datetime
) -> tuple[ApiKey, str]:
    fresh = keys.generate(environment)
    row = ApiKey(
        customer=customer,
        key_id=fresh.key_id,
        digest=ciphers.digest(fresh.text.encode()),
        name=name,
        environment=environment,
        scopes=scopes,
        expires_at=expires_at,
        created_at=now,
    )
    _clean(row)
    row.save(force_insert=True)
    return row, fresh.text


def _clean(row: ApiKey) -> None:
    with refused_by_field():
        row.clean_fields(exclude=["customer", "digest"])


def _validate(*, scopes: list[str], expires_at: datetime | None, now: datetime) -> None:
    faults: dict[str, list[str]] = {}
    unknown = [scope for scope in scopes if scope not in Scope.values]
    if unknown or not scopes:
        faults["scopes"] = [f"Choose from {', '.join(Scope.values)}."]
    if expires_at is not None and expires_at <= now:
        faults["expires_at"] = ["This lies in the past."]
    if faults:
        raise ValidationFailed(fields=faults)


def _record(action: str, row: ApiKey, context: RequestContext, **details: object) -> None:
    facts = {"key_id": row.key_id, "name": row.name, "environment": row.environment, "scopes": row.scopes, **details}
    events.record(action=action, customer_id=row.customer_id, context=context, details=facts)

"""A registered client's life: made, changed, its secret rotated, disabled, deleted. Each change counts from the next request on."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import actions, before_and_after, events
from apps.core.context import RequestContext
from apps.core.errors import NotFound, ValidationFailed, refused_by_field
from apps.customers.models import CustomerStatus
from apps.oauth import client_secrets, redirect_addresses
from apps.oauth.models import RegisteredClient
from apps.tokens import sessions

CHANGEABLE = {"name", "redirect_uris", "post_logout_redirect_uris", "scopes"}
LONGEST_OVERLAP = timedelta(days=90)
MOST = 200  # of one customer


def register(client: RegisteredClient, *, is_confidential: bool, context: RequestContext) -> str:
    """Save a new client. Returns its secret, which is stored nowhere; empty for a public one. Raises ValidationFailed."""
    secret = client_secrets.generate() if is_confidential else ""
    client.created_at = context.now
    client.secret_digest = client_secrets.digest(secret) if secret else None
    _clean(client)
    if RegisteredClient.objects.of(client.customer_id).count() >= MOST:
        raise ValidationFailed(fields={"name": [_("There are %d clients already: delete one first.") % MOST]})
    with transaction.atomic():
        client.save(force_insert=True)
        kind = "confidential" if is_confidential else "public"
        _record(actions.OAUTH_CLIENT_CREATED, client, context, kind=kind, redirect_uris=client.redirect_uris)
    return secret


def get(customer_id: UUID, client_id: UUID) -> RegisteredClient:
    """The customer's client of this id. Raises NotFound."""
    client = RegisteredClient.objects.of(customer_id).filter(id=client_id).first()
    if client is None:
        raise NotFound
    return client


def change(client: RegisteredClient, *, changes: Mapping[str, Any], context: RequestContext) -> None:
    """Set some of CHANGEABLE. Raises ValidationFailed."""
    if not changes.keys() <= CHANGEABLE:
        raise ValidationFailed(fields={name: [_("This cannot be changed.")] for name in changes.keys() - CHANGEABLE})
    for name, value in changes.items():
        setattr(client, name, value)
    _clean(client)
    with transaction.atomic():
        before = _lock(client)
        client.save(update_fields=list(changes))
        addresses = {"redirect_uris": client.redirect_uris} if "redirect_uris" in changes else {}
        changed = before_and_after.of_rows(before, client, changes)
        _record(actions.OAUTH_CLIENT_CHANGED, client, context, fields=sorted(changes), changes=changed, **addresses)


def rotate_secret(client: RegisteredClient, *, overlap: timedelta, context: RequestContext) -> str:
    """A new secret, shown once; the old one works on for `overlap`. Raises ValidationFailed for a public client."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationFailed(fields={"overlap": [_("Choose from 0 to %d days.") % LONGEST_OVERLAP.days]})
    secret = client_secrets.generate()
    with transaction.atomic():
        locked = _lock(client)
        if not locked.is_confidential:
            raise ValidationFailed(fields={"client": [_("A public client has no secret.")]})
        locked.old_secret_digest, locked.secret_digest = locked.secret_digest, client_secrets.digest(secret)
        locked.old_secret_expires_at = context.now + overlap
        locked.save(update_fields=["secret_digest", "old_secret_digest", "old_secret_expires_at"])
        _record(actions.OAUTH_CLIENT_SECRET_ROTATED, locked, context, overlap=int(overlap.total_seconds()))
    return secret


def disable(client: RegisteredClient, *, context: RequestContext) -> None:
    """Nobody signs in to it any more, and its sessions end. Disabling it again changes nothing."""
    with transaction.atomic():
        locked = _lock(client)
        if locked.is_active:
            _set_disabled(client, context.now)
            _end_sessions(client, context, actions.OAUTH_CLIENT_DISABLED)


def enable(client: RegisteredClient, *, context: RequestContext) -> None:
    """Users may sign in to it again. What has ended stays ended."""
    with transaction.atomic():
        locked = _lock(client)
        if not locked.is_active:
            _set_disabled(client, None)
            _record(actions.OAUTH_CLIENT_ENABLED, client, context)


def delete(client: RegisteredClient, *, context: RequestContext) -> None:
    """The client, its codes and what users have granted are gone, and its sessions end."""
    with transaction.atomic():
        locked = _lock(client)
        _end_sessions(client, context, actions.OAUTH_CLIENT_DELETED)
        locked.delete()


def page_origins(redirect_uris: Iterable[str]) -> frozenset[str]:
    """The origins of the pages among these addresses: the client's browser code runs there."""
    return frozenset(origin for address in redirect_uris if (origin := redirect_addresses.origin_of(address)))


def every_page_origin() -> frozenset[str]:
    """The same of all active clients, of every customer."""
    active = RegisteredClient.objects.filter(disabled_at=None, customer__status=CustomerStatus.ACTIVE)
    return page_origins(address for listed in active.values_list("redirect_uris", flat=True) for address in listed)


def _set_disabled(client: RegisteredClient, at: datetime | None) -> None:
    client.disabled_at = at
    client.save(update_fields=["disabled_at"])


def _end_sessions(client: RegisteredClient, context: RequestContext, action: str) -> None:
    ended = sessions.end_all_of_client(
        customer_id=client.customer_id, oauth_client_id=client.client_id, now=context.now
    )
    _record(action, client, context, sessions=ended)


def _lock(client: RegisteredClient) -> RegisteredClient:
    """The client as it is now, locked until the transaction ends. Raises NotFound if it was deleted a moment ago."""
    locked = RegisteredClient.objects.of(client.customer_id).select_for_update().filter(id=client.id).first()
    if locked is None:
        raise NotFound
    return locked


def _clean(client: RegisteredClient) -> None:
    with refused_by_field():
        client.clean_fields(exclude=["customer", "secret_digest", "old_secret_digest"])


def _record(action: str, client: RegisteredClient, context: RequestContext, **details: Any) -> None:
    facts = {"client": client.client_id, "name": client.name, **details}
    events.record(action=action, customer_id=client.customer_id, context=context, details=facts)

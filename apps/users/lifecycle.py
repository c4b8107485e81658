"""A user's life: changed, deactivated, back again. Each change is audited and takes effect on the next request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.audit import actions, events
from apps.core import sealed, snapshots
from apps.core.errors import ValidationFailed
from apps.core.requests import Caller
from apps.core.snapshots import Propagation
from apps.users import permission_names, phones, roles, standing
from apps.users.models import User, UserStatus

PROFILE = {"name", "locale"}
BY_OPERATOR = {"name", "locale", "role", "permissions", "status"}


def register(user: User, *, actor: str, caller: Caller | None, now: datetime) -> None:
    """Save a user that an operator made. Raises ValidationFailed."""
    with transaction.atomic():
        _require_known(user, {"role": user.role, "permissions": user.permissions})
        user.created_at = now
        user.save(force_insert=True)
        _record(actions.USER_CREATED, user, actor, caller, now)


def change(user: User, *, changes: Mapping[str, Any], actor: str, caller: Caller | None, now: datetime) -> Propagation:
    """Set fields an operator may set. Raises ValidationFailed, for roles and permissions that the customer does not know too."""
    return _save(user, changes, BY_OPERATOR, actions.USER_CHANGED, actor, caller, now)


def change_profile(user: User, *, changes: Mapping[str, Any], caller: Caller | None, now: datetime) -> Propagation:
    """Set what users may set of themselves: `name`, `locale`, and `phone` (kept as E.164, sealed). Raises ValidationFailed."""
    return _save(user, changes, PROFILE | {"phone"}, actions.PROFILE_CHANGED, f"user:{user.id}", caller, now)


def deactivate(user: User, *, actor: str, caller: Caller | None, now: datetime) -> Propagation:
    """The user's tokens are worthless from the next request on."""
    changes = {"status": UserStatus.DEACTIVATED}
    return _save(user, changes, BY_OPERATOR, actions.USER_DEACTIVATED, actor, caller, now)


def reactivate(user: User, *, actor: str, caller: Caller | None, now: datetime) -> Propagation:
    changes = {"status": UserStatus.ACTIVE}
    return _save(user, changes, BY_OPERATOR, actions.USER_REACTIVATED, actor, caller, now)


def clear_wrong_codes(user: User, *, actor: str, caller: Caller | None, now: datetime) -> None:
    """Let codes be sent and tried again after too many wrong ones in a row."""
    with transaction.atomic():
        User.objects.filter(id=user.id).update(wrong_codes=0)
        _record(actions.WRONG_CODES_CLEARED, user, actor, caller, now)


def _save(
    user: User,
    changes: Mapping[str, Any],
    allowed: set[str],
    action: str,
    actor: str,
    caller: Caller | None,
    now: datetime,
) -> Propagation:
    if not changes.keys() <= allowed:
        raise ValidationFailed(fields={name: ["This cannot be changed."] for name in changes.keys() - allowed})
    for name, value in changes.items():
        _set(user, name, value)
    _clean(user, changes)
    with transaction.atomic():
        _require_known(user, changes)
        user.save(update_fields=list(changes))
        _record(action, user, actor, caller, now, fields=sorted(changes))
        return snapshots.invalidate_on_commit(standing.key(user.customer_id, user.id))


def _set(user: User, name: str, value: Any) -> None:
    if name == "phone" and value:
        sealed.write(user, "phone", phones.parse(str(value)).encode())
    else:
        setattr(user, name, value)


def _clean(user: User, changes: Mapping[str, Any]) -> None:
    try:
        user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in changes])
    except ValidationError as error:
        raise ValidationFailed(fields=error.message_dict) from error


def _require_known(user: User, changes: Mapping[str, Any]) -> None:
    """Roles and permissions are known to the customer, and stay so until the change is committed. Raises ValidationFailed."""
    if "role" in changes:
        roles.require_known(user.customer_id, changes["role"])
    if "permissions" in changes:
        user.permissions = permission_names.known(
            user.customer_id, changes["permissions"], longest=permission_names.LONGEST_OF_USER
        )


def _record(action: str, user: User, actor: str, caller: Caller | None, now: datetime, **details: Any) -> None:
    events.record(
        action=action,
        customer_id=user.customer_id,
        user_id=user.id,
        actor=actor,
        caller=caller,
        details=details,
        now=now,
    )

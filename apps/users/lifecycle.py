"""A user's life: changed, deactivated, reactivated. Each change is audited and takes effect on the next request."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.audit import actions, before_and_after
from apps.core import actors, sealed
from apps.core.context import RequestContext
from apps.core.errors import NotFound, ValidationFailed, refused_by_field
from apps.core.state.announcements import announce
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.users import credentials, directory, permission_names, phones, roles, state, user_events
from apps.users.models import User, UserStatus

PROFILE = {"name", "locale"}
PERSONAL = {"name", "phone"}  # events do not tell them: they stay when the user is erased
BY_OPERATOR = {"name", "locale", "role", "permissions"}


def register(user: User, *, context: RequestContext) -> None:
    """Save a user that an operator made. If it is active, that approves it. Raises ValidationFailed."""
    with transaction.atomic():
        _require_known(user, {"role": user.role, "permissions": user.permissions})
        user.created_at = context.now
        user.approved_at = context.now if user.status == UserStatus.ACTIVE else None
        _clean(user, BY_OPERATOR)
        _insert(user)
        user_events.record(actions.USER_CREATED, user, context)


def change(user: User, *, changes: Mapping[str, Any], context: RequestContext) -> None:
    """Set fields that an operator may set.

    Raises ValidationFailed, also for roles and permissions that the customer does not know; NotFound for an erased user.
    """
    _save(user, changes, BY_OPERATOR, actions.USER_CHANGED, context)


def change_profile(user: User, *, changes: Mapping[str, Any], context: RequestContext) -> None:
    """Set the fields that users may set themselves: `name`, `locale`, and `phone` (E.164, sealed).

    Raises ValidationFailed; NotFound for an erased user.
    """
    _save(user, changes, PROFILE | {"phone"}, actions.PROFILE_CHANGED, context.by(actors.user(user.id)))


def deactivate(user: User, *, context: RequestContext) -> None:
    """Close the account: its tokens are worthless from the next request on, and what was issued to it is void.

    Closing it again changes nothing. Raises NotFound. The whole flow is `accounts.deactivation`: it ends the sessions too.
    """
    with transaction.atomic():
        _lock(user)
        if user.status != UserStatus.DEACTIVATED:
            _set_status(user, UserStatus.DEACTIVATED, actions.USER_DEACTIVATED, context)
            credentials.change(user, now=context.now)
        announce(state.subject(user.customer_id, user.id))


def reactivate(user: User, *, context: RequestContext) -> None:
    """Open a deactivated account again. It has proven what it had before; what was asked for meanwhile is void.

    Opening it again changes nothing. Raises NotFound.
    """
    customer = customers.read(user.customer_id)
    with transaction.atomic():
        _lock(user)
        if user.status == UserStatus.DEACTIVATED:
            _set_status(user, status_due(user, customer), actions.USER_REACTIVATED, context)
            credentials.change(user, now=context.now)
        announce(state.subject(user.customer_id, user.id))


def status_due(user: User, customer: CustomerState) -> UserStatus:
    """Pending until everything is done that the customer demands: address proven, user approved, both, or neither."""
    unproven = customer.demands_verified_email and user.email_verified_at is None
    unapproved = customer.demands_approval and user.approved_at is None
    return UserStatus.PENDING if unproven or unapproved else UserStatus.ACTIVE


def clear_wrong_codes(user: User, *, context: RequestContext) -> None:
    """Allow codes again after too many wrong ones in a row."""
    with transaction.atomic():
        directory.open_to_codes(user)
        user_events.record(actions.WRONG_CODES_CLEARED, user, context)


def _save(
    user: User,
    changes: Mapping[str, Any],
    allowed: set[str],
    action: str,
    context: RequestContext,
) -> None:
    if not changes.keys() <= allowed:
        raise ValidationFailed(fields={name: ["This cannot be changed."] for name in changes.keys() - allowed})
    with transaction.atomic():
        _lock(user)
        before = before_and_after.values(user, changes)
        for name, value in changes.items():
            _set(user, name, value)
        _clean(user, changes)
        _require_known(user, changes)
        user.save(update_fields=list(changes))
        after = before_and_after.values(user, changes)
        changed = before_and_after.differences(before, after, hidden=PERSONAL)
        user_events.record(action, user, context, fields=sorted(changes), changes=changed)
        announce(state.subject(user.customer_id, user.id))


def _set_status(user: User, status: UserStatus, action: str, context: RequestContext) -> None:
    user.status = status
    user.save(update_fields=["status"])
    user_events.record(action, user, context, status=status)


def _lock(user: User) -> None:
    """Read the row anew, locked until the transaction ends. Raises NotFound if the user was erased a moment ago."""
    try:
        user.refresh_from_db(from_queryset=User.objects.of(user.customer_id).select_for_update(no_key=True))
    except User.DoesNotExist:
        raise NotFound from None


def _insert(user: User) -> None:
    """Raises ValidationFailed."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise ValidationFailed(fields={"email": [_("This customer has such a user already.")]}) from error


def _set(user: User, name: str, value: Any) -> None:
    if name == "phone" and value:
        sealed.write(user, "phone", phones.parse(str(value)).encode())
    else:
        setattr(user, name, value)


def _clean(user: User, changes: Collection[str]) -> None:
    with refused_by_field():
        user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in changes])


def _require_known(user: User, changes: Mapping[str, Any]) -> None:
    """Raises ValidationFailed unless the customer knows role and permissions. They stay known until the change commits."""
    if "role" in changes:
        roles.require_known(user.customer_id, changes["role"])
    if "permissions" in changes:
        user.permissions = permission_names.known(
            user.customer_id, changes["permissions"], longest=permission_names.LONGEST_OF_USER
        )

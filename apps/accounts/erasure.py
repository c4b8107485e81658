"""Erasing a user: the row goes, and everything that hangs on it in any room; mails lose what they said and to whom.

Audit events stay (contract 8). They name the user by an id that nothing else bears any more, and hold no address.
A room above this one that keeps something by a user's address, and not in a row that hangs on the user, registers how it
forgets that (as `own_data` does it for the export).
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, ForeignObjectRel, Value, When

from apps.audit import actions, events
from apps.core import snapshots
from apps.core.errors import NotFound
from apps.core.requests import Caller
from apps.core.snapshots import Propagation
from apps.mail.models import LedgerEntry, Message, MessageState
from apps.mail.outbox import UNSENT
from apps.users import own_data, state
from apps.users.errors import LastAdmin
from apps.users.models import BuiltInRole, User, UserStatus

Forget = Callable[[UUID, str], None]

_register: dict[str, Forget] = {}


def register(name: str, forget: Forget) -> None:
    """Have `forget` called in the transaction of each erasure, with the customer's id and the address as it is compared."""
    _register[name] = forget


def erase_oneself(*, customer_id: UUID, user_id: UUID, caller: Caller, now: datetime) -> Propagation:
    """The user's own wish. Raises LastAdmin when that would leave others without one; NotFound.

    Who is alone may go: a customer without users is of nobody's concern.
    """
    with transaction.atomic():
        _require_other_admin(customer_id, user_id)
        return erase(customer_id=customer_id, user_id=user_id, actor=events.user(user_id), caller=caller, now=now)


def erase(*, customer_id: UUID, user_id: UUID, actor: str, caller: Caller | None, now: datetime) -> Propagation:
    """Erase a user of this customer. Its tokens are worthless from the next request on. Raises NotFound."""
    with transaction.atomic():
        # Locked first: who signs this user in at this moment waits, and then finds nobody.
        user = User.objects.of(customer_id).select_for_update().filter(id=user_id).first()
        if user is None:
            raise NotFound
        _lock_belongings(user)
        _empty_mails(user)
        user.delete()
        events.record(
            action=actions.USER_ERASED, customer_id=customer_id, user_id=user_id, actor=actor, caller=caller, now=now
        )
        told = snapshots.invalidate_on_commit(state.key(customer_id, user_id))
        for forget in _register.values():
            forget(customer_id, user.email_identity)
        return told


def _require_other_admin(customer_id: UUID, user_id: UUID) -> None:
    """Raises LastAdmin. All admins are locked in one order, so that of two who go at once the second sees the first gone."""
    active = User.objects.of(customer_id).filter(role=BuiltInRole.ADMIN, status=UserStatus.ACTIVE)
    admins = list(active.order_by("id").select_for_update().values_list("id", flat=True))
    if admins == [user_id] and User.objects.of(customer_id).exclude(id=user_id).exists():
        raise LastAdmin


def _lock_belongings(user: User) -> None:
    """Lock what refers to the user, in whatever room. Else a token refreshed at this moment would come to hang on a session
    that is just being deleted, and the database would refuse the whole.
    """
    for field in User._meta.get_fields(include_hidden=True):
        if isinstance(field, ForeignObjectRel):
            rows = field.related_model._default_manager.filter(**{field.field.name: user})
            list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _empty_mails(user: User) -> None:
    """What has not gone out yet will not. First the messages: a worker that has one in hand notes no more answers from then on."""
    ids = list(own_data.mails_of(user).values_list("id", flat=True))
    Message.objects.filter(id__in=ids).update(
        recipient="",
        content="",
        last_error="",
        code_set="",  # made from the address
        leased_until=None,
        state=Case(When(state__in=UNSENT, then=Value(MessageState.SUPPRESSED)), default=F("state")),
    )
    LedgerEntry.objects.filter(message_id__in=ids).update(answer="")  # servers like to repeat the address

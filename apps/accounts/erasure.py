"""Erasing a user: the row goes with all that refers to it, and what was sent to its address is emptied.

Audit events stay (contract 8). They name the user by an id that nothing else bears any more, and hold no address; the keyed
hash by which refusals are found by address is taken from them.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Value, When

from apps.accounts import mails
from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.approvals.models import IdentityCheck
from apps.audit import actions, events, refusals
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.core.state.announcements import announce
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.files.models import UserFile
from apps.mail.models import LedgerEntry, Message, MessageState
from apps.mail.outbox import UNSENT
from apps.oauth.models import AuthorizationCode
from apps.otp import code_requests, fixed_codes
from apps.signin.models import Challenge, KnownCountry, KnownDevice, Password, RememberedDevice
from apps.tokens.models import Session
from apps.users import emails, state
from apps.users.errors import LastAdmin
from apps.users.models import BuiltInRole, User, UserStatus

# What refers to a user, and is deleted with it. Locked in this order.
DELETED_WITH_THE_USER = (
    Session,
    Totp,
    Phone,
    Passkey,
    RecoveryCode,
    UserFile,
    IdentityCheck,
    Password,
    Challenge,
    KnownDevice,
    KnownCountry,
    AuthorizationCode,
    RememberedDevice,
    Registration,
    ResetToken,
    EmailChange,
)


def erase_oneself(*, customer_id: UUID, user_id: UUID, context: RequestContext) -> None:
    """Erase the user who asks for it. Raises LastAdmin when that would leave others without an administrator; NotFound.

    The only user of a customer may go: then nobody is left who needs one.
    """
    with transaction.atomic():
        _require_other_admin(customer_id, user_id)
        erase(customer_id=customer_id, user_id=user_id, context=context.by(actors.user(user_id)))


def erase(*, customer_id: UUID, user_id: UUID, context: RequestContext) -> None:
    """Erase a user of this customer. Its tokens are worthless from the next request on. Raises NotFound."""
    with transaction.atomic():
        # A sign-in at this moment waits, and then finds nobody.
        user = User.objects.of(customer_id).select_for_update().filter(id=user_id).first()
        if user is None:
            raise NotFound
        _lock_what_refers_to(user)
        _empty_mails(user)
        _forget_refusals(user)
        user.delete()  # and DELETED_WITH_THE_USER
        fixed_codes.forget(customer_id, user.email_identity)
        events.record(action=actions.USER_ERASED, customer_id=customer_id, user_id=user_id, context=context)
        announce(state.subject(customer_id, user_id))
        code_requests.withdraw_on_commit(customer_id, user.email_identity)


def _forget_refusals(user: User) -> None:
    """Those of its address, and of those it had before, as long as they were its own."""
    refusals.forget_address(user.customer_id, user.email_identity)
    moves = EmailChange.objects.filter(user=user, confirmed_at__isnull=False)
    for address, until in moves.values_list("old_email", "confirmed_at"):
        refusals.forget_address(user.customer_id, emails.identity(address), until=until)


def _require_other_admin(customer_id: UUID, user_id: UUID) -> None:
    """Raises LastAdmin. All admins are locked in one order, so that of two who go at once the second sees the first gone."""
    active = User.objects.of(customer_id).filter(role=BuiltInRole.ADMIN, status=UserStatus.ACTIVE)
    admins = list(active.order_by("id").select_for_update().values_list("id", flat=True))
    if admins == [user_id] and User.objects.of(customer_id).exclude(id=user_id).exists():
        raise LastAdmin


def _lock_what_refers_to(user: User) -> None:
    """Otherwise a refresh at this moment could add a token to a session that is being deleted, and PostgreSQL would refuse
    to delete it.
    """
    for model in DELETED_WITH_THE_USER:
        rows = model._default_manager.filter(user=user)
        list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _empty_mails(user: User) -> None:
    """Mails lose what they said and to whom, and those that have not gone out never will.

    Messages first: a worker that is just sending one then notes none of the server's answers, which like to repeat the address.
    """
    ids = list(mails.of(user).values_list("id", flat=True))
    Message.objects.filter(id__in=ids).update(
        recipient="",
        content="",
        last_error="",
        code_set="",  # made from the address
        leased_until=None,
        state=Case(When(state__in=UNSENT, then=Value(MessageState.SUPPRESSED)), default=F("state")),
    )
    LedgerEntry.objects.filter(message_id__in=ids).update(answer="")

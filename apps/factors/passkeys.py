"""Using passkeys (WebAuthn section 7.2): the device verifies its user, and copies are refused."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors, base64url
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors import ceremonies, methods
from apps.factors.ceremonies import Ceremony
from apps.factors.errors import InvalidPasskey
from apps.factors.models import Passkey
from apps.users import credentials, directory, notices
from apps.users.models import User


def request_options(*, customer: CustomerState, user: User | None, now: datetime) -> dict[str, Any]:
    """For `navigator.credentials.get()`: of this user's passkeys, or of any that the device has for this site.

    Raises ValkeyUnavailable.
    """
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=ceremonies.relying_party(customer).id,
        challenge=ceremonies.begin(customer.id, kind=ceremonies.GET, user=user, now=now),
        timeout=ceremonies.LIFETIME_SECONDS * 1000,
        allow_credentials=ceremonies.descriptors(list(Passkey.objects.filter(user=user, suspected_clone_at=None)))
        if user
        else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.helpers.options_to_json_dict(options)


def check(*, customer: CustomerState, credential: Any, context: RequestContext, user: User | None = None) -> Passkey:
    """The passkey that has signed: of this user, or without `user` of the user that it names. The device has verified its user.

    A ceremony without a user is void for users whose credentials have changed since it was begun.

    Not to be called within a transaction: the record of a suspected copy must stay although the passkey is refused.
    Raises InvalidPasskey (whatever is wrong) or ValkeyUnavailable.
    """
    import webauthn

    ceremony = ceremonies.take(customer.id, credential, kind=ceremonies.GET, user=user)
    row = _find(customer.id, credential, user.id if user else None) if ceremony else None
    if ceremony is None or row is None or _is_void(ceremony, row.user):
        raise InvalidPasskey
    party = ceremonies.relying_party(customer)
    used = ceremonies.verified(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=ceremony.challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=bytes(row.public_key),
            credential_current_sign_count=0,  # compared below, so that a copy is told from a failure
            require_user_verification=True,
        )
    )
    if not _count(row, used.new_sign_count, now=context.now):
        if _is_behind(row, used.new_sign_count):
            _report_clone(row, customer, context)
        raise InvalidPasskey
    return row


def _is_void(ceremony: Ceremony, user: User) -> bool:
    return user.credentials_changed_at is not None and ceremony.begun_at <= user.credentials_changed_at


def _find(customer_id: UUID, credential: Any, user_id: UUID | None) -> Passkey | None:
    """The customer's passkey of this id. If it names its user (a discoverable one does), that must be right."""
    rows = Passkey.objects.of(customer_id).filter(suspected_clone_at=None).select_related("user")
    row = rows.filter(credential_id=str(credential.get("id"))[:1400]).first()
    if row is None or (user_id is not None and row.user_id != user_id):
        return None
    handle = credential["response"].get("userHandle")
    if handle is None:
        return row if user_id is not None else None
    return row if isinstance(handle, str) and handle == base64url.encode(row.user_id.bytes) else None


def _count(row: Passkey, sign_count: int, *, now: datetime) -> bool:
    """Note the use. False for a counter that did not go up (WebAuthn section 6.1.1); zero means that there is none.

    Compared with the row in one statement: of two uses with the same counter one fails.
    """
    usable = Passkey.objects.filter(id=row.id, suspected_clone_at=None)
    if sign_count == 0:
        return usable.filter(sign_count=0).update(last_used_at=now) == 1
    return usable.filter(sign_count__lt=sign_count).update(sign_count=sign_count, last_used_at=now) == 1


def _is_behind(row: Passkey, sign_count: int) -> bool:
    """Whether the counter was used before. False if the passkey was removed meanwhile."""
    return Passkey.objects.filter(id=row.id, sign_count__gte=sign_count).exists()


def _report_clone(row: Passkey, customer: CustomerState, context: RequestContext) -> None:
    """Refuse the passkey from now on, record it, and tell the user: there may be a copy of it."""
    with transaction.atomic():
        directory.lock(row.user_id)
        if not Passkey.objects.filter(id=row.id, suspected_clone_at=None).update(suspected_clone_at=context.now):
            return
        credentials.change(row.user, now=context.now)  # a sign-in may have been begun with the copy
        record(actions.PASSKEY_CLONED, row, context, outcome=Outcome.DENIED, severity=Severity.HIGH)
        notices.post(notices.PASSKEY_CLONED, customer=customer, user=row.user, context=context, passkey=row.name)


def record(
    action: str,
    row: Passkey,
    context: RequestContext,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
) -> None:
    """Record what was done with the passkey."""
    events.record(
        action=action,
        outcome=outcome,
        severity=severity,
        customer_id=row.customer_id,
        user_id=row.user_id,
        context=context.by(actors.user(row.user_id)),
        details={"factor": methods.PASSKEY, "passkey": str(row.id), "name": row.name},
    )

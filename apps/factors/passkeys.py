"""Passkeys (WebAuthn level 3): the device verifies its user when one is made and when it is used. Copies are refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import webauthn
from django.db import IntegrityError, transaction
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers.state import CustomerState
from apps.factors import ceremonies, enrolment, methods
from apps.factors.ceremonies import Ceremony
from apps.factors.errors import InvalidPasskey, TooManyPasskeys
from apps.factors.models import Passkey
from apps.tokens import devices
from apps.users import credentials, directory, notices
from apps.users.models import User

MOST = 20
LONGEST_NAME = 100
Verified = TypeVar("Verified")


@dataclass(frozen=True)
class NewPasskey:
    """A passkey just enrolled, and the recovery codes made with the first factor."""

    row: Passkey
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def creation_options(user: User, *, customer: CustomerState, now: datetime) -> dict[str, Any]:
    """For `navigator.credentials.create()`. Raises TooManyPasskeys or ValkeyUnavailable."""
    existing = list(Passkey.objects.filter(user=user))
    if len(existing) >= MOST:
        raise TooManyPasskeys
    party = ceremonies.relying_party(customer)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=user.name or user.email,
        challenge=ceremonies.begin(customer.id, kind=ceremonies.CREATE, user=user, now=now),
        timeout=ceremonies.LIFETIME_SECONDS * 1000,
        exclude_credentials=_descriptors(existing),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json_dict(options)


def enrol(user: User, *, customer: CustomerState, credential: Any, name: str, context: RequestContext) -> NewPasskey:
    """Keep the public key that the device has made.

    Raises InvalidPasskey, TooManyPasskeys, NotFound or ValkeyUnavailable.
    """
    ceremony = ceremonies.take(customer.id, credential, kind=ceremonies.CREATE, user=user)
    if ceremony is None:
        raise InvalidPasskey
    party = ceremonies.relying_party(customer)
    made = _verified(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=ceremony.challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    )
    row = Passkey(
        customer_id=customer.id,
        user=user,
        name=(name.strip() or devices.name_of(context.user_agent))[:LONGEST_NAME],
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=_transports_in(credential),
        aaguid=made.aaguid,
        backed_up=made.credential_backed_up,
        created_at=context.now,
    )
    return _keep(row, customer=customer, context=context)


def rename(user: User, passkey_id: UUID, *, name: str, context: RequestContext) -> Passkey:
    """Raises NotFound."""
    row = Passkey.objects.filter(user=user, id=passkey_id).first()
    if row is None:
        raise NotFound
    row.name = name
    with transaction.atomic():
        if not Passkey.objects.filter(id=row.id).update(name=name):  # removed meanwhile
            raise NotFound
        _record(actions.FACTOR_RENAMED, row, context)
    return row


def request_options(*, customer: CustomerState, user: User | None, now: datetime) -> dict[str, Any]:
    """For `navigator.credentials.get()`: of this user's passkeys, or of any that the device has for this site.

    Raises ValkeyUnavailable.
    """
    options = webauthn.generate_authentication_options(
        rp_id=ceremonies.relying_party(customer).id,
        challenge=ceremonies.begin(customer.id, kind=ceremonies.GET, user=user, now=now),
        timeout=ceremonies.LIFETIME_SECONDS * 1000,
        allow_credentials=_descriptors(list(Passkey.objects.filter(user=user, suspected_clone_at=None)))
        if user
        else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def check(*, customer: CustomerState, credential: Any, context: RequestContext, user: User | None = None) -> Passkey:
    """The passkey that has signed: of this user, or without `user` of the user that it names. The device has verified its user.

    A ceremony without a user is void for users whose credentials have changed since it was begun.

    Not to be called within a transaction: the record of a suspected copy must stay although the passkey is refused.
    Raises InvalidPasskey (whatever is wrong) or ValkeyUnavailable.
    """
    ceremony = ceremonies.take(customer.id, credential, kind=ceremonies.GET, user=user)
    row = _find(customer.id, credential, user.id if user else None) if ceremony else None
    if ceremony is None or row is None or _is_void(ceremony, row.user):
        raise InvalidPasskey
    party = ceremonies.relying_party(customer)
    used = _verified(
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
    return row if isinstance(handle, str) and handle == bytes_to_base64url(row.user_id.bytes) else None


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
        _record(actions.PASSKEY_CLONED, row, context, outcome=Outcome.DENIED, severity=Severity.HIGH)
        notices.post(notices.PASSKEY_CLONED, customer=customer, user=row.user, context=context, passkey=row.name)


def _keep(row: Passkey, *, customer: CustomerState, context: RequestContext) -> NewPasskey:
    try:
        with transaction.atomic():
            present = directory.hold(row.user_id)  # so that enrolling many at once does not pass the limit
            if present.credentials_version != row.user.credentials_version:  # changed meanwhile
                raise InvalidPasskey
            if Passkey.objects.filter(user=row.user).count() >= MOST:
                raise TooManyPasskeys
            row.save(force_insert=True)
            codes = enrolment.complete(
                row.user,
                factor=methods.PASSKEY,
                name=row.name,
                customer=customer,
                context=context,
                passkey=str(row.id),
            )
            return NewPasskey(row, codes)
    except IntegrityError as error:  # the same credential again, perhaps of another user
        raise InvalidPasskey from error


def _record(
    action: str,
    row: Passkey,
    context: RequestContext,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    severity: Severity = Severity.INFO,
) -> None:
    events.record(
        action=action,
        outcome=outcome,
        severity=severity,
        customer_id=row.customer_id,
        user_id=row.user_id,
        context=context.by(actors.user(row.user_id)),
        details={"factor": methods.PASSKEY, "passkey": str(row.id), "name": row.name},
    )


def _verified(verify: Callable[[], Verified]) -> Verified:
    """What the library has verified. Raises InvalidPasskey for every exception of the library.

    Strangers give it certificates and keys of every kind, and the parsers below it raise errors of no common type.
    """
    try:
        return verify()
    except Exception as error:
        raise InvalidPasskey from error


def _descriptors(rows: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(name) for name in row.transports],
        )
        for row in rows
    ]


def _transports_in(credential: Any) -> list[str]:
    known = {transport.value for transport in AuthenticatorTransport}
    named = credential["response"].get("transports")
    return [name for name in named if isinstance(name, str) and name in known] if isinstance(named, list) else []

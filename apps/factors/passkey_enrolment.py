"""Enrolling passkeys: the device verifies its user, and keeps the private key (WebAuthn section 7.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit import actions
from apps.core import base64url
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.customers.state import CustomerState
from apps.factors import ceremonies, enrolment, methods, passkeys
from apps.factors.errors import InvalidPasskey, TooManyPasskeys
from apps.factors.models import Passkey
from apps.tokens import devices
from apps.users import directory
from apps.users.models import User

MOST = 20
LONGEST_NAME = 100


@dataclass(frozen=True)
class NewPasskey:
    """A passkey just enrolled, and the recovery codes made with the first factor."""

    row: Passkey
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def creation_options(user: User, *, customer: CustomerState, now: datetime) -> dict[str, Any]:
    """For `navigator.credentials.create()`. Raises TooManyPasskeys or ValkeyUnavailable."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

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
        exclude_credentials=ceremonies.descriptors(existing),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.helpers.options_to_json_dict(options)


def enrol(user: User, *, customer: CustomerState, credential: Any, name: str, context: RequestContext) -> NewPasskey:
    """Keep the public key that the device has made.

    Raises InvalidPasskey, TooManyPasskeys, NotFound or ValkeyUnavailable.
    """
    import webauthn

    ceremony = ceremonies.take(customer.id, credential, kind=ceremonies.CREATE, user=user)
    if ceremony is None:
        raise InvalidPasskey
    party = ceremonies.relying_party(customer)
    made = ceremonies.verified(
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
        credential_id=base64url.encode(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=transports_in(credential),
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
        passkeys.record(actions.FACTOR_RENAMED, row, context)
    return row


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


def transports_in(credential: Any) -> list[str]:
    """How the browser says that the device is reached: only the ways that are known."""
    from webauthn.helpers.structs import AuthenticatorTransport

    known = {transport.value for transport in AuthenticatorTransport}
    named = credential["response"].get("transports")
    return [name for name in named if isinstance(name, str) and name in known] if isinstance(named, list) else []

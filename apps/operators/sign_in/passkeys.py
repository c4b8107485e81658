"""Operators' passkeys (WebAuthn), second factors beside the app. The device verifies its user, and each signature is good once.

They belong to the host of PUBLIC_URL. Operators are no end users: their passkeys are rows of their own.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core import base64url
from apps.factors import ceremonies
from apps.factors.ceremonies import RelyingParty
from apps.factors.errors import InvalidPasskey, TooManyPasskeys
from apps.factors.passkey_enrolment import transports_in
from apps.operators.context import operator_of
from apps.operators.models import OperatorPasskey
from apps.operators.sign_in import challenges, session_store, sign_in_events, sign_in_limits

SIGN_IN, STEP_UP, ENROL = "sign-in", "step-up", "enrol"
MOST = 20
LONGEST_NAME = 64  # characters
LONGEST_ID = 1400


def of(operator: User) -> "QuerySet[OperatorPasskey]":
    rows: QuerySet[OperatorPasskey] = OperatorPasskey.objects.filter(user=operator).order_by("id")
    return rows


def subject_of(request: HttpRequest) -> str:
    """A challenge for somebody signed in is good in that session alone."""
    return session_store.own_row_key(request)


def request_options(purpose: str, subject: str = "", operator: User | None = None) -> str:
    """For `navigator.credentials.get()`, in JSON: any passkey that the device has for us, or one of the operator's."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=_relying_party().id,
        challenge=challenges.new(purpose, subject),
        timeout=_milliseconds(),
        allow_credentials=ceremonies.descriptors(list(of(operator))) if operator else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def own_options(request: HttpRequest, purpose: str) -> str:
    """Of the operator who is signed in, for this session alone. Empty without passkeys."""
    operator = operator_of(request)
    return request_options(purpose, subject_of(request), operator) if of(operator).exists() else ""


def creation_options(request: HttpRequest, operator: User) -> str:
    """For `navigator.credentials.create()`, in JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=_relying_party().id,
        rp_name=_relying_party().name,
        user_id=_handle(operator),
        user_name=operator.get_username(),
        challenge=challenges.new(ENROL, subject_of(request)),
        timeout=_milliseconds(),
        exclude_credentials=ceremonies.descriptors(list(of(operator))),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


def enrol(request: HttpRequest, operator: User, credential: Any, *, name: str, now: datetime) -> OperatorPasskey:
    """Keep the public key that the device has made, in the caller's transaction. Raises InvalidPasskey or TooManyPasskeys."""
    import webauthn

    challenge = _taken(credential, ENROL, subject_of(request))
    party = _relying_party()
    made = ceremonies.verified(
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    )
    User.objects.select_for_update().get(pk=operator.pk)  # so that many at once do not pass the limit
    if of(operator).count() >= MOST:
        raise TooManyPasskeys
    row = OperatorPasskey(
        user=operator,
        name=name[:LONGEST_NAME],
        credential_id=base64url.encode(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=transports_in(credential),
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:  # the same credential again
        raise InvalidPasskey from error
    return row


def check(
    request: HttpRequest, operator: User, credential: Any, *, purpose: str, subject: str = ""
) -> OperatorPasskey | None:
    """The operator's passkey that has signed. None for whatever is wrong, and after too many tries.

    Not to be called within a transaction: what it counts and records stays although the passkey is refused.
    """
    counted = sign_in_limits.count_factor(request, operator)
    if counted is None:
        return None
    try:
        row = _checked(request, operator, credential, purpose, subject)
    except InvalidPasskey:
        return None
    counted.give_back()
    return row


def check_own(request: HttpRequest, credential: Any, purpose: str) -> OperatorPasskey | None:
    """The same of the operator who is signed in, for what `own_options` gave this session."""
    return check(request, operator_of(request), credential, purpose=purpose, subject=subject_of(request))


def _checked(request: HttpRequest, operator: User, credential: Any, purpose: str, subject: str) -> OperatorPasskey:
    """Raises InvalidPasskey."""
    import webauthn

    row = _find(operator, credential)
    challenge, party = _taken(credential, purpose, subject), _relying_party()
    used = ceremonies.verified(
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=bytes(row.public_key),
            credential_current_sign_count=0,  # compared below, so that a copy is told from a failure
            require_user_verification=True,
        )
    )
    if not _count(row, used.new_sign_count):
        name = operator.get_username()
        sign_in_events.record(actions.OPERATOR_PASSKEY_CLONED, request, name, Outcome.DENIED, Severity.HIGH)
        raise InvalidPasskey
    return row


def _find(operator: User, credential: Any) -> OperatorPasskey:
    """Raises InvalidPasskey."""
    name = credential.get("id") if isinstance(credential, dict) else None
    row = of(operator).filter(credential_id=str(name)[:LONGEST_ID]).first()
    if row is None:
        raise InvalidPasskey
    return row


def _taken(credential: Any, purpose: str, subject: str) -> bytes:
    """The challenge that was signed, used up. Raises InvalidPasskey."""
    challenge = ceremonies.challenge_in(credential)
    if challenge is None or not challenges.is_ours(challenge, purpose, subject) or not challenges.use(challenge):
        raise InvalidPasskey
    return challenge


def _count(row: OperatorPasskey, sign_count: int) -> bool:
    """Note the use. False for a counter that did not go up (WebAuthn section 6.1.1); zero means that there is none."""
    kept = OperatorPasskey.objects.filter(pk=row.pk)
    if sign_count == 0:
        return kept.filter(sign_count=0).update(last_used_at=timezone.now()) == 1
    return kept.filter(sign_count__lt=sign_count).update(sign_count=sign_count, last_used_at=timezone.now()) == 1


def _relying_party() -> RelyingParty:
    ours = urlsplit(settings.PUBLIC_URL)
    return RelyingParty(ours.hostname or "", "Gatehouse", (f"{ours.scheme}://{ours.netloc}",))


def _handle(operator: User) -> bytes:
    return f"operator-{operator.pk}".encode()


def _milliseconds() -> int:
    return int(challenges.LIFETIME.total_seconds()) * 1000

"""A user's own factors over HTTP: seen, enrolled, confirmed, renamed, removed."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.auth.own_factors_serializers import (
    AppAnswerSerializer,
    CodeSerializer,
    ConfirmedSerializer,
    NewPasskeyAnswerSerializer,
    NewPasskeySerializer,
    OverviewSerializer,
    PasskeyNameSerializer,
    PasskeySerializer,
    PhoneAnswerSerializer,
    PhoneSerializer,
    RecoveryCodesSerializer,
)
from apps.api.auth.tokens_serializers import MessageSerializer
from apps.api.auth.webauthn_serializers import CREATION_OPTIONS
from apps.api.authentication.access_token import customer_of, user_of
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.views import EncryptedView
from apps.core import actors
from apps.core.errors import NotFound, RateLimited
from apps.core.requests import context_of
from apps.core.times import rfc3339, rfc3339_or_none
from apps.factors import enrolment, overview, passkey_enrolment, phones, removal, totp
from apps.factors.errors import InvalidPasskey, NoSecondFactor, SecondFactorRequired, TooManyPasskeys
from apps.factors.models import Passkey
from apps.factors.removal import Removal
from apps.mail.errors import QuotaExceeded, TextsUnavailable
from apps.otp.errors import InvalidOtp, ResendTooSoon


class Overview(EncryptedView):
    """What is enrolled, and what the customer demands."""

    @extend_schema(operation_id="second_factors", responses=OverviewSerializer)
    @refuses_with(NotFound)
    def get(self, request: Request) -> Response:
        found = overview.of(user_of(request))
        body = {
            "policy": customer_of(request).second_factor,
            "methods": list(found.enrolled.methods),
            "totp": {"confirmed_at": rfc3339(found.app_since)} if found.app_since else None,
            "sms": {"number": found.phone.hint, "confirmed_at": rfc3339(found.phone.confirmed_at)}
            if found.phone and found.phone.confirmed_at
            else None,
            "passkeys": [_passkey(row) for row in found.passkeys],
            "recovery_codes_left": found.recovery_codes_left,
        }
        return Response(body)


class App(EncryptedView):
    """An authenticator app."""

    @extend_schema(operation_id="begin_app", request=None, responses={201: AppAnswerSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound)
    def post(self, request: Request) -> Response:
        begun = totp.begin(user_of(request), customer=customer_of(request), now=timezone.now())
        return Response(begun.document(), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="remove_app", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request) -> Response:
        removal.remove_app(_removal(request))
        return _removed()


class AppConfirmation(EncryptedView):
    """A first code shows that the app has the secret."""

    @extend_schema(operation_id="confirm_app", request=CodeSerializer, responses=ConfirmedSerializer)
    @needs_fresh_proof
    @refuses_with(InvalidOtp, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(CodeSerializer)
        user, customer, context = user_of(request), customer_of(request), context_of(request)
        codes = totp.confirm(user, given["code"], customer=customer, context=context)
        return _confirmed(codes)


class OwnPhone(EncryptedView):
    """A number for codes by SMS."""

    @extend_schema(operation_id="begin_phone", request=PhoneSerializer, responses={202: PhoneAnswerSerializer})
    @needs_fresh_proof
    @refuses_with(ResendTooSoon, RateLimited, QuotaExceeded, TextsUnavailable, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(PhoneSerializer)
        begun = phones.begin(
            user_of(request),
            customer=customer_of(request),
            number=given["phone"],
            context=context_of(request),
        )
        return Response(begun.document(), status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="remove_phone", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request) -> Response:
        removal.remove_phone(_removal(request))
        return _removed()


class PhoneConfirmation(EncryptedView):
    """A first code shows whose number it is."""

    @extend_schema(operation_id="confirm_phone", request=CodeSerializer, responses=ConfirmedSerializer)
    @needs_fresh_proof
    @refuses_with(InvalidOtp, RateLimited, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(CodeSerializer)
        user, customer, context = user_of(request), customer_of(request), context_of(request)
        codes = phones.confirm(user, given["code"], customer=customer, context=context)
        return _confirmed(codes)


class NewPasskeyOptions(EncryptedView):
    """What `navigator.credentials.create()` needs."""

    @extend_schema(operation_id="begin_passkey", request=None, responses=CREATION_OPTIONS)
    @needs_fresh_proof
    @refuses_with(TooManyPasskeys, NotFound)
    def post(self, request: Request) -> Response:
        options = passkey_enrolment.creation_options(
            user_of(request), customer=customer_of(request), now=timezone.now()
        )
        return Response(options)


class Passkeys(EncryptedView):
    """A new passkey."""

    @extend_schema(
        operation_id="enrol_passkey", request=NewPasskeySerializer, responses={201: NewPasskeyAnswerSerializer}
    )
    @needs_fresh_proof
    @refuses_with(InvalidPasskey, TooManyPasskeys, NotFound)
    def post(self, request: Request) -> Response:
        given = self.read(NewPasskeySerializer)
        made = passkey_enrolment.enrol(
            user_of(request),
            customer=customer_of(request),
            credential=given["credential"],
            name=given["name"],
            context=context_of(request),
        )
        codes = {"recovery_codes": list(made.recovery_codes)} if made.recovery_codes else {}
        return Response({**_passkey(made.row), **codes}, status=status.HTTP_201_CREATED)


class OnePasskey(EncryptedView):
    """One of the user's passkeys."""

    @extend_schema(operation_id="rename_passkey", request=PasskeyNameSerializer, responses=PasskeySerializer)
    @refuses_with(NotFound)
    def patch(self, request: Request, passkey_id: UUID) -> Response:
        given = self.read(PasskeyNameSerializer)
        row = passkey_enrolment.rename(user_of(request), passkey_id, name=given["name"], context=context_of(request))
        return Response(_passkey(row))

    @extend_schema(operation_id="remove_passkey", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound, SecondFactorRequired)
    def delete(self, request: Request, passkey_id: UUID) -> Response:
        removal.remove_passkey(_removal(request), passkey_id)
        return _removed()


class OwnRecoveryCodes(EncryptedView):
    """Ten codes for when every other factor is lost."""

    @extend_schema(operation_id="make_recovery_codes", request=None, responses={201: RecoveryCodesSerializer})
    @needs_fresh_proof
    @refuses_with(NoSecondFactor, NotFound)
    def post(self, request: Request) -> Response:
        codes = enrolment.make_recovery_codes(
            user_of(request), customer=customer_of(request), context=context_of(request)
        )
        return Response({"recovery_codes": list(codes)}, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="remove_recovery_codes", responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(NotFound)
    def delete(self, request: Request) -> Response:
        removal.remove_recovery_codes(_removal(request))
        return _removed()


def _removal(request: Request) -> Removal:
    user = user_of(request)
    return Removal(
        user=user,
        customer=customer_of(request),
        context=context_of(request).by(actors.user(user.id)),
    )


def _confirmed(recovery_codes: tuple[str, ...]) -> Response:
    codes = {"recovery_codes": list(recovery_codes)} if recovery_codes else {}
    return Response({"message": _("The second factor is enrolled."), **codes})


def _removed() -> Response:
    return Response({"message": _("Removed.")})


def _passkey(row: Passkey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "created_at": rfc3339(row.created_at),
        "last_used_at": rfc3339_or_none(row.last_used_at),
        "backed_up": row.backed_up,
        "suspected_clone": row.suspected_clone_at is not None,
    }

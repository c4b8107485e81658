"""Operators' recovery codes: made with the first factor, gone with the last."""

import secrets

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_otp import login
from django_otp.models import Device

from apps.core import sealed
from apps.factors import recovery_codes
from apps.operators.models import AuthenticatorApp, OperatorPasskey, OperatorRecoveryCode, RecoveryCodeDevice
from apps.operators.new_secrets import shown_once
from apps.operators.sign_in import step_up

DIGEST_KEY_BYTES = 32


def codes_with_first_factor(operator: User) -> list[str]:
    """Ten codes, each good once instead of a factor. None if the operator has some already. In the caller's transaction."""
    if RecoveryCodeDevice.objects.filter(user=operator).exists():
        return []
    device: RecoveryCodeDevice = RecoveryCodeDevice.objects.create(user=operator, name=recovery_codes.NAME)
    sealed.write(device, "digest_key", secrets.token_bytes(DIGEST_KEY_BYTES))
    device.save(update_fields=["digest_key"])
    codes = [recovery_codes.generate() for _ in range(recovery_codes.NUMBER)]
    OperatorRecoveryCode.objects.bulk_create(
        [OperatorRecoveryCode(device=device, digest=device.digest(code)) for code in codes]
    )
    return codes


def remove_codes_without_factors(operator: User) -> None:
    """Codes stand in for a factor: without any they are worth nothing. In the caller's transaction."""
    apps = AuthenticatorApp.objects.filter(user=operator, confirmed=True)
    if not (apps.exists() or OperatorPasskey.objects.filter(user=operator).exists()):
        RecoveryCodeDevice.objects.filter(user=operator).delete()


def lead_on(request: HttpRequest, device: Device, codes: list[str]) -> HttpResponse:
    """The session has the new factor, which is a proof, too; its codes are shown next."""
    login(request, device)
    step_up.note(request, step_up.DEVICE)
    if codes:
        return shown_once.lead_to_recovery_codes(request, codes)
    return HttpResponseRedirect(reverse("admin:second_factor"))

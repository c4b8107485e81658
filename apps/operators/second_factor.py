"""The operators' second factor. They enrol it themselves, get recovery codes with it, and remove it with a code."""

import secrets
from typing import Any

import pyotp
import segno
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django_otp import devices_for_user, login

from apps.audit import actions, events
from apps.core import sealed
from apps.factors import recovery_codes
from apps.operators import sign_in, sign_in_limits
from apps.operators.context import context_of_operator, operator_of
from apps.operators.models import AuthenticatorApp, OperatorRecoveryCode, RecoveryCodeDevice

ISSUER = "Gatehouse"
SEED_BYTES, DIGEST_KEY_BYTES = 20, 32  # RFC 4226 section 4 recommends 160 bits
FEW = 3  # with so many recovery codes left, operators are warned at sign-in


class CodeForm(forms.Form):
    code = forms.CharField(max_length=sign_in.LONGEST_CODE)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page that enrols the second factor, or removes it. `context` is the admin site's."""
    enrolled = AuthenticatorApp.objects.filter(user=operator_of(request), confirmed=True).exists()
    if request.method == "POST":
        form = CodeForm(request.POST)
        code = form.cleaned_data["code"] if form.is_valid() else ""
        return _remove(request, code) if enrolled else _confirm(request, code, context)
    return _render(request, context, enrolled=enrolled)


def warn_of_few_codes(request: HttpRequest) -> None:
    """Tell an operator who has just signed in by a recovery code how many are left."""
    device = getattr(request.user, "otp_device", None)
    if isinstance(device, RecoveryCodeDevice) and (left := device.left()) <= FEW:
        text = _("%d of your recovery codes are left. Remove your second factor and set it up anew to get fresh ones.")
        messages.warning(request, text % left)


def _render(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    facts = {**context, "title": _("Second factor"), **more}
    if not more.get("enrolled") and "recovery_codes" not in more:
        secret = _pending(request).secret()
        facts |= {"secret": _spaced(secret), "qr": _qr(secret, request.user.get_username())}
    response = TemplateResponse(request, "operators/second_factor.html", facts)
    response["Cache-Control"] = "no-store"
    return response


def _pending(request: HttpRequest) -> AuthenticatorApp:
    """The app that is being enrolled. It stays until it is confirmed, so that a page loaded again shows the same picture."""
    # Two pages that were opened at once may have made two. From then on all pages show the first.
    waiting = AuthenticatorApp.objects.filter(user=operator_of(request), confirmed=False).order_by("id").first()
    return waiting or _new_app(request)


def _new_app(request: HttpRequest) -> AuthenticatorApp:
    with transaction.atomic():
        device: AuthenticatorApp = AuthenticatorApp.objects.create(
            user=operator_of(request), confirmed=False, name="TOTP"
        )
        sealed.write(device, "seed", secrets.token_bytes(SEED_BYTES))  # to the id that the row now has
        device.save(update_fields=["seed"])
    return device


def _confirm(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    device = _pending(request)
    if not device.verify_token(code):
        messages.error(request, _("This code is not right. Try the next one your app shows."))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    with transaction.atomic():
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = _new_recovery_codes(request)
        _record(request, "enrolled")
    login(request, device)
    return _render(request, context, enrolled=True, recovery_codes=codes)


def _remove(request: HttpRequest, code: str) -> HttpResponse:
    """Takes a code: a session that was left open, or stolen, is not enough."""
    if sign_in_limits.check_code(request, operator_of(request), code) is None:
        messages.error(request, _("This code is not right."))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    with transaction.atomic():
        for device in devices_for_user(request.user):
            device.delete()
        _record(request, "removed")
    messages.success(request, _("Your second factor has been removed."))
    return HttpResponseRedirect(reverse("admin:index"))


def _new_recovery_codes(request: HttpRequest) -> list[str]:
    """Ten codes, each good once instead of the app. Shown this once."""
    RecoveryCodeDevice.objects.filter(user=operator_of(request)).delete()
    device: RecoveryCodeDevice = RecoveryCodeDevice.objects.create(user=operator_of(request), name=recovery_codes.NAME)
    sealed.write(device, "digest_key", secrets.token_bytes(DIGEST_KEY_BYTES))
    device.save(update_fields=["digest_key"])
    codes = [recovery_codes.generate() for _ in range(recovery_codes.NUMBER)]
    OperatorRecoveryCode.objects.bulk_create(
        [OperatorRecoveryCode(device=device, digest=device.digest(code)) for code in codes]
    )
    return codes


def _record(request: HttpRequest, what: str) -> None:
    events.record(
        action=actions.OPERATOR_SECOND_FACTOR_CHANGED,
        details={"what": what},
        context=context_of_operator(request),
    )


def _spaced(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr(secret: str, name: str) -> str:
    """An inline SVG. The only input in it is the operator's own name, and segno draws that as squares."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    picture = segno.make(uri, error="m")
    return mark_safe(picture.svg_inline(scale=5, border=2, dark="#111", light="#fff"))  # noqa: S308  (see above)

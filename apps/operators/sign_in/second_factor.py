"""The operators' second factor. They enrol it themselves, get recovery codes with it, and remove it with a code."""

import secrets
from typing import Any

import pyotp
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from apps.audit import actions, events
from apps.core import qr_codes, sealed
from apps.operators.context import context_of_operator, operator_of
from apps.operators.models import AuthenticatorApp, RecoveryCodeDevice
from apps.operators.sign_in import form, notices, own_passkeys, recovery, sign_in_limits

ISSUER, APP = "Gatehouse", "App"
SEED_BYTES = 20  # RFC 4226 section 4 recommends 160 bits
FEW = 3  # with so many recovery codes left, operators are warned at sign-in


class CodeForm(forms.Form):
    code = forms.CharField(max_length=form.LONGEST_CODE)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page that enrols the second factor, or removes it. `context` is the admin site's."""
    enrolled = AuthenticatorApp.objects.filter(user=operator_of(request), confirmed=True).exists()
    if request.method == "POST" and "do" in request.POST:
        return own_passkeys.act(request, request.POST["do"])
    if request.method == "POST":
        form = CodeForm(request.POST)
        code = form.cleaned_data["code"] if form.is_valid() else ""
        return _remove(request, code) if enrolled else _confirm(request, code)
    return _render(request, context, enrolled=enrolled)


def warn_of_few_codes(request: HttpRequest) -> None:
    """Tell an operator who has just signed in by a recovery code how many are left."""
    device = getattr(request.user, "otp_device", None)
    if isinstance(device, RecoveryCodeDevice) and (left := device.left()) <= FEW:
        text = _("%d of your recovery codes are left. Remove your second factor and set it up anew to get fresh ones.")
        messages.warning(request, text % left)


def _render(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    facts = {**context, "title": _("Second factor"), **own_passkeys.context(request), **more}
    if not more.get("enrolled"):
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


def _confirm(request: HttpRequest, code: str) -> HttpResponse:
    device = _pending(request)
    if not own_passkeys.may_add(request):
        return own_passkeys.ask_for_proof(request)
    if not device.verify_token(code):
        messages.error(request, _("This code is not right. Try the next one your app shows."))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    with transaction.atomic():
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        _record(request, "enrolled")
        notices.post(operator_of(request), notices.FACTOR_ADDED, context_of_operator(request), factor=APP)
        codes = recovery.codes_with_first_factor(operator_of(request))
    return recovery.lead_on(request, device, codes)


def _remove(request: HttpRequest, code: str) -> HttpResponse:
    """Takes a code: a session that was left open, or stolen, is not enough."""
    if sign_in_limits.check_code(request, operator_of(request), code) is None:
        messages.error(request, _("This code is not right."))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=operator_of(request)).delete()
        recovery.remove_codes_without_factors(operator_of(request))
        _record(request, "removed")
        notices.post(operator_of(request), notices.FACTOR_REMOVED, context_of_operator(request), factor=APP)
    messages.success(request, _("Your second factor has been removed."))
    return HttpResponseRedirect(reverse("admin:index"))


def _record(request: HttpRequest, what: str) -> None:
    events.record(
        action=actions.OPERATOR_SECOND_FACTOR_CHANGED,
        details={"what": what},
        context=context_of_operator(request),
    )


def _spaced(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr(secret: str, name: str) -> str:
    """The only input in it is the operator's own name, which is drawn as squares."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    return mark_safe(qr_codes.drawn(uri, title=_("QR code for your authenticator app")))  # noqa: S308  (see above)

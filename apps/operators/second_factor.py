"""The operators' second factor: enrolled by themselves, with recovery codes; removed by a code."""

from base64 import b32encode
from typing import Any

import segno
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django_otp import devices_for_user, login, match_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.audit import actions, events
from apps.audit.admin_base import actor_of
from apps.core.requests import caller_of

RECOVERY_CODES = 10


class CodeForm(forms.Form):
    code = forms.CharField(max_length=16, strip=True)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Enrol, or remove. `context` is the admin site's."""
    enrolled = TOTPDevice.objects.filter(user=request.user, confirmed=True).exists()
    if request.method == "POST":
        form = CodeForm(request.POST)
        code = form.cleaned_data["code"].replace(" ", "") if form.is_valid() else ""
        return _remove(request, code) if enrolled else _confirm(request, code, context)
    return _render(request, context, enrolled=enrolled)


def _render(request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
    facts = {**context, "title": _("Second factor"), **more}
    if not more.get("enrolled") and "recovery_codes" not in more:
        device = _pending(request)
        facts |= {"secret": _spaced(device), "qr": _qr(device)}
    response = TemplateResponse(request, "operators/second_factor.html", facts)
    response["Cache-Control"] = "no-store"
    return response


def _pending(request: HttpRequest) -> TOTPDevice:
    """The device being enrolled: the same until it is confirmed, so that a reloaded page shows the same picture."""
    # Two pages opened at once may have made two: from then on all show the first.
    waiting = TOTPDevice.objects.filter(user=request.user, confirmed=False).order_by("id")
    return waiting.first() or TOTPDevice.objects.create(user=request.user, confirmed=False, name="TOTP")


def _confirm(request: HttpRequest, code: str, context: dict[str, Any]) -> HttpResponse:
    device = _pending(request)
    if not device.verify_token(code):
        messages.error(request, _("This code is not right. Try the next one your app shows."))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    with transaction.atomic():
        device.confirmed = True
        device.save()
        codes = _new_recovery_codes(request)
        _record(request, "enrolled")
    login(request, device)
    return _render(request, context, enrolled=True, recovery_codes=codes)


def _remove(request: HttpRequest, code: str) -> HttpResponse:
    if not code or match_token(request.user, code) is None:
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
    StaticDevice.objects.filter(user=request.user).delete()
    device = StaticDevice.objects.create(user=request.user, name="Recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=code)
    return codes


def _record(request: HttpRequest, what: str) -> None:
    events.record(
        action=actions.OPERATOR_SECOND_FACTOR_CHANGED,
        actor=actor_of(request),
        caller=caller_of(request),
        details={"what": what},
        now=timezone.now(),
    )


def _spaced(device: TOTPDevice) -> str:
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _qr(device: TOTPDevice) -> str:
    """An inline SVG. Nothing in it is anybody's input but the operator's own name, which segno encodes as squares."""
    picture = segno.make(device.config_url, error="m")
    return mark_safe(picture.svg_inline(scale=5, border=2, dark="#111", light="#fff"))  # noqa: S308  (see above)

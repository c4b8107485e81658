"""The way to the provider and back, and the second factor that is asked for after it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login as sign_in
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_otp import login as prove
from django_otp import user_has_device
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core.requests import context_of
from apps.operators import error_pages
from apps.operators.context import operator_of
from apps.operators.errors import NotSignedInByProvider
from apps.operators.sign_in import known_browsers, oidc, passkeys, sign_in_events, sign_in_limits, step_up

NEXT = "gatehouse_next"  # in the session: where to go after the sign-in
FACTOR_BY_PROVIDER = "gatehouse_factor_by_provider"  # in the session: the provider has asked for a second factor


class FactorForm(forms.Form):
    """The second factor after the provider. Raises nothing; its `device` is the one that the proof belongs to."""

    code = forms.CharField(required=False, max_length=64, strip=False, widget=UnfoldAdminTextInputWidget)
    credential = forms.JSONField(required=False, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST or None)
        self._request = request
        self.device: Any = None
        self.fields["code"].label = _("Code of your second factor")
        self.fields["code"].widget.attrs.update(autocomplete="one-time-code", inputmode="numeric", autofocus=True)

    def passkey_options(self) -> str:
        """For the browser, in JSON; empty for an operator without passkeys."""
        return passkeys.own_options(self._request, passkeys.SIGN_IN)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        operator, credential = operator_of(self._request), given.get("credential")
        self.device = (
            passkeys.check_own(self._request, credential, passkeys.SIGN_IN)
            if credential
            else sign_in_limits.check_code(self._request, operator, str(given.get("code") or ""))
        )
        if self.device is None:
            _record_failure(self._request, operator.get_username())
            self.add_error("code", _("This is not right, or was tried too often."))
        return given


def start(request: HttpRequest, _context: dict[str, Any]) -> HttpResponse:
    """To the provider. Raises Http404 where there is none."""
    _require_configured()
    if not sign_in_limits.may_go_to_provider(request):
        return error_pages.page(NotSignedInByProvider(), request)
    request.session[NEXT] = _harmless(request, request.GET.get("next", ""))
    try:
        return oidc.lead_to_provider(request)
    except NotSignedInByProvider as error:
        return error_pages.page(error, request)


def callback(request: HttpRequest, _context: dict[str, Any]) -> HttpResponse:
    """Back from the provider. One answer for whatever is wrong."""
    _require_configured()
    leads_to = str(request.session.get(NEXT, ""))
    try:
        who = oidc.came_back(request)
        operator = oidc.operator_of(who, context_of(request))
    except NotSignedInByProvider as error:
        _record_failure(request, "")
        return error_pages.page(error, request)
    request.session.flush()  # nothing of the way there goes along
    sign_in(request, operator)
    request.session[NEXT], request.session[FACTOR_BY_PROVIDER] = leads_to, who.has_second_factor
    if user_has_device(operator) and not who.has_second_factor:
        return HttpResponseRedirect(reverse("admin:oidc_factor"))
    return _lead_on(request)


def factor(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Asks for the second factor of somebody whom the provider knows."""
    _require_configured()
    if not is_waiting(request):
        return HttpResponseRedirect(reverse("admin:login"))
    form = FactorForm(request)
    if request.method == "POST" and form.is_valid() and form.device is not None:
        prove(request, form.device)
        step_up.note(request, step_up.DEVICE)
        return _lead_on(request)
    facts = {**context, "form": form, "title": _("Second factor")}
    return TemplateResponse(request, "operators/oidc_factor.html", facts, headers={"Cache-Control": "no-store"})


def is_waiting(request: HttpRequest) -> bool:
    """Whether the operator of this session came from the provider, and has still to give a second factor."""
    return request.user.is_authenticated and request.session.get(FACTOR_BY_PROVIDER) is False


def has_factor_by_provider(request: HttpRequest) -> bool:
    """Whether the provider has asked for it, which counts while that is configured."""
    return bool(settings.OPERATOR_OIDC_SECOND_FACTOR) and request.session.get(FACTOR_BY_PROVIDER) is True


def _lead_on(request: HttpRequest) -> HttpResponse:
    leads_to = _harmless(request, str(request.session.pop(NEXT, "")))
    response = HttpResponseRedirect(leads_to or resolve_url(settings.LOGIN_REDIRECT_URL))
    known_browsers.remember(request, response, operator_of(request).pk)
    return response


def _harmless(request: HttpRequest, address: str) -> str:
    """The address, if it is a page of ours; else nothing."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours and address.startswith("/admin/") else ""


def _require_configured() -> None:
    if not oidc.is_configured():
        raise Http404


def _record_failure(request: HttpRequest, name: str) -> None:
    sign_in_events.record(actions.OPERATOR_SIGN_IN_FAILED, request, name, Outcome.FAILURE, Severity.MEDIUM, by="oidc")

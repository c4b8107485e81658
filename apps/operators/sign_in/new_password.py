"""Setting a password by a link from a mail: of somebody who was invited, or who has forgotten the old one.

The link proves the mailbox and nothing else. No second factor is taken away, and only an invitation signs in, on the way to the
second factor that is set up next.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, password_validation
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django_otp import user_has_device
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors
from apps.core.requests import context_of
from apps.operators.errors import UselessLink
from apps.operators.models import LinkPurpose
from apps.operators.sign_in import links, notices, own_sessions, sign_in_events, sign_in_limits

LONGEST = 4096  # characters: Django's own limit of a password


class NewPasswordForm(forms.Form):
    """A password that holds for the operator of the link. Raises UselessLink out of `is_valid`: there is no form to show then."""

    token = forms.CharField(max_length=links.LONGEST_TOKEN, widget=forms.HiddenInput(attrs={"data-token": ""}))
    new_password = forms.CharField(
        label=lazy("New password"),
        max_length=LONGEST,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html,
    )
    repeated = forms.CharField(
        label=lazy("The same once more"),
        max_length=LONGEST,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, purpose: LinkPurpose, data: Any = None) -> None:
        super().__init__(data)
        self._purpose = purpose

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        operator = links.find(str(cleaned.get("token", "")), self._purpose)
        password = cleaned.get("new_password")
        if password and password != cleaned.get("repeated"):
            self.add_error("repeated", _("The two passwords are not the same."))
        elif password:
            self._require_acceptable(password, operator)
        return cleaned

    def _require_acceptable(self, password: str, operator: User) -> None:
        try:
            password_validation.validate_password(password, operator)
        except forms.ValidationError as error:
            self.add_error("new_password", error)


def page(request: HttpRequest, context: dict[str, Any], purpose: LinkPurpose) -> HttpResponse:
    """Loading it uses nothing up, since scanners of mails follow links. `context` is the admin site's."""
    if not settings.OPERATOR_PASSWORD_SIGN_IN:
        return HttpResponseRedirect(reverse("admin:login"))
    form = NewPasswordForm(purpose, request.POST if request.method == "POST" else None)
    facts = {**context, "form": form, "is_invitation": purpose == LinkPurpose.INVITATION, "title": _title(purpose)}
    try:
        if request.method == "POST" and sign_in_limits.may_try_links(request) and form.is_valid():
            return _set(request, form, purpose)
    except UselessLink as error:
        _record_useless(request)
        return _render(request, {**facts, "form": None, "message": error.text}, status=error.status)
    return _render(request, facts)


def _set(request: HttpRequest, form: NewPasswordForm, purpose: LinkPurpose) -> HttpResponse:
    context = context_of(request)
    with transaction.atomic():
        operator = links.take(form.cleaned_data["token"], purpose, context.now)
        operator.set_password(form.cleaned_data["new_password"])
        operator.save(update_fields=["password"])
        links.withdraw(operator)
        own_sessions.end_all_of(operator)
        is_first = purpose == LinkPurpose.INVITATION
        events.record(
            action=actions.OPERATOR_INVITATION_ACCEPTED if is_first else actions.OPERATOR_PASSWORD_RESET,
            severity=Severity.LOW,
            context=context.by(actors.operator(operator.get_username())),
        )
        if not is_first:
            notices.post(operator, notices.PASSWORD_CHANGED, context)
    return _lead_on(request, operator, is_first=is_first)


def _lead_on(request: HttpRequest, operator: User, *, is_first: bool) -> HttpResponse:
    if not is_first or user_has_device(operator):
        return HttpResponseRedirect(reverse("admin:login"))
    login(request, operator)
    return HttpResponseRedirect(reverse("admin:second_factor"))


def _render(request: HttpRequest, facts: dict[str, Any], status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return TemplateResponse(request, "operators/new_password.html", facts, status=status, headers=headers)


def _record_useless(request: HttpRequest) -> None:
    sign_in_events.record(actions.OPERATOR_LINK_REJECTED, request, "", Outcome.FAILURE, Severity.LOW)


def _title(purpose: LinkPurpose) -> str:
    return _("Welcome to Gatehouse") if purpose == LinkPurpose.INVITATION else _("Set a new password")

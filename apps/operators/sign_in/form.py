"""The operators' sign-in: password, then the second factor of those who have one. One answer for all failures."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from apps.operators.sign_in import passkeys, sign_in_limits
from apps.operators.team.has_device import has_device

LONGEST_CODE = 64  # characters, with the separators that people type
TOO_OFTEN = ValidationError(
    _("Too many attempts. Please wait a quarter of an hour, or sign in from a browser that you have used before."),
    code="too_often",
)


class OperatorSignInForm(AuthenticationForm):
    """Email, password, and a code of the second factor if the operator has one."""

    request: HttpRequest  # the site always gives it
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("Email, password or code is not right, or this account may not sign in here."),
    }
    code = forms.CharField(
        label=_("Code of the second factor, if you have one"),
        required=False,
        max_length=LONGEST_CODE,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    credential = forms.JSONField(required=False, widget=forms.HiddenInput)  # of a passkey, in the place of a code

    def __init__(self, request: HttpRequest | None = None, *args: Any, **options: Any) -> None:
        super().__init__(request, *args, **options)
        self.fields["username"].label = _("Email")
        self.fields["code"].widget.attrs["class"] = self.fields["username"].widget.attrs.get("class", "")

    def passkey_options(self) -> str:
        """For the browser, in JSON. They name no passkey: nobody learns which operators have any."""
        return passkeys.request_options(passkeys.SIGN_IN)

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError: too many attempts, or the one answer for everything that is wrong."""
        name = str(self.cleaned_data.get("username", ""))
        attempt = sign_in_limits.count(self.request, name)
        if sign_in_limits.is_too_often(attempt):
            raise TOO_OFTEN
        cleaned: dict[str, Any] = super().clean()
        if self.user_cache is not None:
            self._check_second_factor(self.user_cache, str(cleaned.get("code") or ""), cleaned.get("credential"))
            attempt.give_back()
        return cleaned

    def _check_second_factor(self, operator: User, code: str, credential: Any) -> None:
        if not has_device(operator):
            return
        device = (
            passkeys.check(self.request, operator, credential, purpose=passkeys.SIGN_IN)
            if credential
            else sign_in_limits.check_code(self.request, operator, code)
        )
        if device is None:
            user_login_failed.send(__name__, credentials={"username": operator.get_username()}, request=self.request)
            raise self.get_invalid_login_error()
        operator.otp_device = device  # type: ignore[attr-defined]  # django-otp keeps it in the session at sign-in

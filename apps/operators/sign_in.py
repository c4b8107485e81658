"""The operators' sign-in: password, then the second factor of those who have one. One answer for all failures."""

from typing import Any

from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp import match_token, user_has_device
from django_ratelimit.core import is_ratelimited
from unfold.forms import AuthenticationForm

from apps.core.client_address import counted_as
from apps.core.requests import address_of

RATES = {"operator-address": "20/15m", "operator-name": "10/15m"}


class OperatorSignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """Email, password, and a code of the second factor if the operator has one."""

    code = forms.CharField(
        label=_("Code of the second factor, if you have one"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, request: HttpRequest | None = None, *args: Any, **options: Any) -> None:
        super().__init__(request, *args, **options)
        self.fields["username"].label = _("Email")
        self.fields["code"].widget.attrs["class"] = self.fields["username"].widget.attrs.get("class", "")

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError: too often, or wrong, whatever of it."""
        if _too_often(self.request, str(self.cleaned_data.get("username", ""))):
            raise ValidationError(_("Too many attempts. Please wait a quarter of an hour."), code="too_often")
        cleaned: dict[str, Any] = super().clean()
        self._check_second_factor(str(cleaned.get("code") or ""))
        return cleaned

    def _check_second_factor(self, code: str) -> None:
        operator = self.user_cache
        if operator is None or not user_has_device(operator):
            return
        device = match_token(operator, code.replace(" ", "")) if code else None
        if device is None:
            user_login_failed.send(__name__, credentials={"username": operator.get_username()}, request=self.request)
            raise self.get_invalid_login_error()
        operator.otp_device = device  # django-otp keeps it in the session when Django signs the operator in


def _too_often(request: HttpRequest, name: str) -> bool:
    """Count this attempt by address and by name. Fails closed."""
    keys = {"operator-address": counted_as(address_of(request)), "operator-name": name.casefold()[:150]}
    too_often = False
    for group, key in keys.items():  # both are counted, whichever is reached first

        def fixed(_group: str, _request: HttpRequest, key: str = key) -> str:
            return key

        too_often |= is_ratelimited(request, group=group, key=fixed, rate=RATES[group], increment=True)
    return too_often

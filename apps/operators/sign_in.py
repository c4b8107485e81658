"""The operators' sign-in: password, then the second factor of those who have one. One answer for all failures."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp import match_token, user_has_device
from unfold.forms import AuthenticationForm

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core.client_address import counted_as
from apps.core.requests import address_of, caller_of
from apps.operators import attempts, browsers, names
from apps.operators.attempts import Counted

LONGEST_CODE = 64  # with whatever stands between its letters
TOO_OFTEN = ValidationError(
    _("Too many attempts. Please wait a quarter of an hour, or sign in from a browser that you have used before."),
    code="too_often",
)


class OperatorSignInForm(AuthenticationForm):
    """Email, password, and a code of the second factor if the operator has one."""

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

    def __init__(self, request: HttpRequest | None = None, *args: Any, **options: Any) -> None:
        super().__init__(request, *args, **options)
        self.fields["username"].label = _("Email")
        self.fields["code"].widget.attrs["class"] = self.fields["username"].widget.attrs.get("class", "")

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError: too often, or wrong, whatever of it."""
        name = str(self.cleaned_data.get("username", ""))
        attempt = count(self.request, name)
        if is_too_often(attempt):
            raise TOO_OFTEN
        cleaned: dict[str, Any] = super().clean()
        if self.user_cache is not None:
            self._check_second_factor(self.user_cache, str(cleaned.get("code") or ""))
            attempt.give_back()
        return cleaned

    def _check_second_factor(self, operator: User, code: str) -> None:
        if not user_has_device(operator):
            return
        device = check_code(self.request, operator, code)
        if device is None:
            user_login_failed.send(__name__, credentials={"username": operator.get_username()}, request=self.request)
            raise self.get_invalid_login_error()
        operator.otp_device = device  # type: ignore[attr-defined]  # django-otp keeps it in the session at sign-in


def count(request: HttpRequest, name: str) -> Counted:
    """Count this attempt, before anything is compared: in a browser that the operator has used before by that alone."""
    browser = _browser_of(request, name)
    if browser:
        counted = attempts.count({attempts.PER_BROWSER: (browser, names.plain(name))})
    else:
        who, network = names.plain(name), counted_as(address_of(request))
        counted = attempts.count({attempts.PER_NETWORK: (network,)})
        if not counted.over(attempts.PER_NETWORK):  # a network that is refused fills no table with names
            counted += attempts.count(
                {
                    attempts.PER_NAME_AND_NETWORK: (who, network),
                    attempts.PER_NAME: (who,),
                    attempts.GUESSED_NAME_PER_NETWORK: (who, network),
                }
            )
    _record_first_refusals(request, name, counted)
    return counted


def is_too_often(attempt: Counted) -> bool:
    """A name that is guessed at from many networks leaves fewer attempts to each, and to each the same."""
    by_itself = (attempts.PER_BROWSER, attempts.PER_NETWORK, attempts.PER_NAME_AND_NETWORK)
    is_guessed = attempt.over(attempts.PER_NAME) and attempt.over(attempts.GUESSED_NAME_PER_NETWORK)
    return is_guessed or any(map(attempt.over, by_itself))


def check_code(request: HttpRequest, operator: User, code: str) -> Any:
    """The operator's device that this code is of, used up; None if it is of none, or codes were tried too often.

    A browser that the operator has used before is counted by itself: who knows the password alone cannot block it.
    """
    where = browsers.known_to(request, operator.pk) or "elsewhere"
    subject = (str(operator.pk), where)
    counted = attempts.count({attempts.PER_FACTOR: subject, attempts.PER_FACTOR_AND_DAY: subject})
    limits = (attempts.PER_FACTOR, attempts.PER_FACTOR_AND_DAY)
    if any(map(counted.just_over, limits)):
        _record(request, operator.get_username(), actions.OPERATOR_GUESSING, what="second factor")
    device = match_token(operator, code) if code and not any(map(counted.over, limits)) else None
    if device is not None:
        counted.give_back()
    return device


def _browser_of(request: HttpRequest, name: str) -> str | None:
    if browsers.COOKIE not in request.COOKIES:
        return None
    operator = names.find(name)
    return browsers.known_to(request, operator.pk) if operator else None


def _record_first_refusals(request: HttpRequest, name: str, counted: Counted) -> None:
    """One event a window for each limit: what is refused after that is no news."""
    if counted.just_over(attempts.PER_NAME):
        _record(request, name, actions.OPERATOR_GUESSING, what="password")
    for limit in (attempts.PER_BROWSER, attempts.PER_NETWORK, attempts.PER_NAME_AND_NETWORK):
        if counted.just_over(limit):
            _record(request, name, actions.OPERATOR_SIGN_IN_FAILED, limit=limit.name)


def _record(request: HttpRequest, name: str, action: str, **details: str) -> None:
    events.record(
        action=action,
        outcome=Outcome.DENIED,
        severity=Severity.HIGH if action == actions.OPERATOR_GUESSING else Severity.MEDIUM,
        actor=events.operator(name.replace("\0", "")[:150]),
        caller=caller_of(request),
        details=details,
        now=timezone.now(),
    )

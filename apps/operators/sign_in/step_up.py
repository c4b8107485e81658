"""Another proof before a grave change: the operator's second factor, unless it was given within ten minutes.

An open session, or a stolen one, is not enough to end every session of a customer. An operator without a second factor gives the
password. What was asked is in the same form as the proof: a proof is for the change that the operator has read, and for no other.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.operators.context import operator_of
from apps.operators.sign_in import passkeys, sign_in_events, sign_in_limits
from apps.operators.team.has_device import has_device

FRESH = timedelta(minutes=10)
LONGEST = 4096  # characters: Django's own limit of a password
PROVEN = "gatehouse_proven"  # in the session: when, and by what
DEVICE, PASSWORD = "device", "password"
FIELDS = ("proof", "credential")  # of the form: neither goes along with what is posted again


def connect() -> None:
    """Listen, once per process. Signing in is a proof, too."""
    user_logged_in.connect(_signed_in, dispatch_uid="operators.step_up")


def _signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    note(request, DEVICE if getattr(user, "otp_device", None) else PASSWORD)


def note(request: HttpRequest, by: str) -> None:
    """The operator of this session has just proven who it is. `by`: DEVICE or PASSWORD."""
    request.session[PROVEN] = [timezone.now().timestamp(), by]


def is_fresh(request: HttpRequest) -> bool:
    """Whether the proof that is due was given within ten minutes. A password does not count for who has a second factor."""
    at, by = request.session.get(PROVEN, (0.0, ""))
    age = timezone.now().timestamp() - float(at)
    return bool(by == _due(request)) and 0 <= age < FRESH.total_seconds()


class ProofForm(forms.Form):
    """Asks for the proof. Valid once it was given: a code counts once, and tries are limited as those of signing in are."""

    proof = forms.CharField(max_length=LONGEST, strip=False, required=False)
    credential = forms.JSONField(required=False, widget=forms.HiddenInput)  # of a passkey, in the place of a code

    def __init__(self, request: HttpRequest, *, is_answered: bool) -> None:
        super().__init__(request.POST if is_answered else None)
        self._request = request
        by_code = _due(request) == DEVICE
        self.fields["proof"].label = _("Code of your second factor") if by_code else _("Your password")
        self.fields["proof"].help_text = _("This change is grave. You are not asked again for ten minutes.")
        attributes = (
            {"autocomplete": "one-time-code", "inputmode": "numeric"}
            if by_code
            else {"autocomplete": "current-password"}
        )
        self.fields["proof"].widget = (UnfoldAdminTextInputWidget if by_code else UnfoldAdminPasswordWidget)(
            attrs=attributes
        )

    def passkey_options(self) -> str:
        """For the browser, in JSON; empty for an operator without passkeys."""
        return passkeys.own_options(self._request, passkeys.STEP_UP)

    def clean(self) -> dict[str, Any]:
        """Adds one error to `proof` for what is wrong, used before, or tried too often."""
        given: dict[str, Any] = super().clean() or {}
        if not (given.get("proof") or given.get("credential")):
            self.add_error("proof", self.fields["proof"].error_messages["required"])
        elif _is_right(self._request, str(given.get("proof", "")), given.get("credential")):
            note(self._request, _due(self._request))
            _record(self._request, actions.OPERATOR_PROVEN, Outcome.SUCCESS, Severity.INFO)
        else:
            _record(self._request, actions.OPERATOR_PROOF_REJECTED, Outcome.FAILURE, Severity.MEDIUM)
            self.add_error("proof", _("This is not right, or was tried too often. Nothing has been changed."))
        return given


def due(request: HttpRequest, *, is_answered: bool) -> ProofForm | None:
    """The form that asks for a proof. None: it was given a moment ago. Do not look into its answer within a transaction."""
    return None if is_fresh(request) else ProofForm(request, is_answered=is_answered)


def _due(request: HttpRequest) -> str:
    return DEVICE if has_device(operator_of(request)) else PASSWORD


def _is_right(request: HttpRequest, text: str, credential: Any) -> bool:
    operator = operator_of(request)
    if credential:
        return passkeys.check_own(request, credential, passkeys.STEP_UP) is not None
    if _due(request) == DEVICE:
        return sign_in_limits.check_code(request, operator, text) is not None
    return sign_in_limits.check_password(request, operator, text)


def _record(request: HttpRequest, action: str, outcome: Outcome, severity: Severity) -> None:
    sign_in_events.record(action, request, operator_of(request).get_username(), outcome, severity, by=_due(request))

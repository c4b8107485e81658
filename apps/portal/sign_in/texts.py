"""What the steps say: when to come back, and what the second factors are called."""

import math

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from apps.core.errors import GatehouseError
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.signin.requirements import EMAIL

A_MINUTE = 60

WAYS: dict[str, str | Promise] = {
    PASSKEY: gettext_lazy("Passkey"),
    TOTP: gettext_lazy("Authenticator app"),
    SMS: gettext_lazy("Code by SMS"),
    RECOVERY_CODE: gettext_lazy("Recovery code"),
    EMAIL: gettext_lazy("Code by email"),
}


def explained(error: GatehouseError) -> str:
    """What went wrong, and when to come back, if that is known."""
    said = str(error.text)
    return f"{said} {again_in(error.retry_after)}" if error.retry_after is not None else said


def again_in(seconds: float) -> str:
    """When to try again: in whole minutes once it is longer than one."""
    whole = max(1, math.ceil(seconds))
    if whole <= A_MINUTE:
        return ngettext("Try again in %(count)d second.", "Try again in %(count)d seconds.", whole) % {"count": whole}
    minutes = math.ceil(whole / A_MINUTE)
    return ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes) % {"count": minutes}

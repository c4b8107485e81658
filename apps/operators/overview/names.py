"""What figures are called: the methods of sign-in, the reasons of failures, the kinds of security events, quotas, and times."""

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from apps.audit import actions
from apps.audit.models import Severity
from apps.mail import quotas
from apps.operators import refusal_texts
from apps.signin.models import FirstFactor

NOTHING = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"
METHODS: Mapping[str, Promise] = {
    FirstFactor.CODE: lazy("Code"),
    FirstFactor.PASSWORD: lazy("Password"),
    FirstFactor.PASSKEY: lazy("Passkey"),
}
ACTIONS: Mapping[str, Promise] = {
    actions.ADDRESS_REFUSED: lazy("Key used from outside the allowlist"),
    actions.AUTHORIZATION_REJECTED: lazy("Wrong authorization code"),
    actions.AUTHORIZATION_REUSED: lazy("Authorization code used twice"),
    actions.CODE_GUESSING: lazy("Codes are being guessed"),
    actions.CODE_REJECTED: lazy("Wrong code"),
    actions.EMAIL_CHANGE_UNDO_REJECTED: lazy("Wrong link to undo a new address"),
    actions.EXPIRED_TOKEN_REPLAYED: lazy("Expired token used again"),
    actions.FACTOR_ENROLLED: lazy("Second factor not confirmed"),
    actions.MANY_NETWORKS: lazy("Account used from many networks"),
    actions.NEW_COUNTRY: lazy("Sign-in from a new country"),
    actions.NEW_DEVICE: lazy("New device"),
    actions.OAUTH_CLIENT_REJECTED: lazy("App could not be authenticated"),
    actions.OPERATOR_GUESSING: lazy("Operators' passwords are being guessed"),
    actions.OPERATOR_SIGN_IN_FAILED: lazy("Failed sign-in of an operator"),
    actions.PASSKEY_CLONED: lazy("Passkey may have been copied"),
    actions.PASSKEY_REJECTED: lazy("Wrong passkey"),
    actions.PASSWORD_LOCKED: lazy("Password locked"),
    actions.PASSWORD_REJECTED: lazy("Wrong password"),
    actions.PASSWORD_RESET_REJECTED: lazy("Wrong link to reset a password"),
    actions.REAUTHENTICATION_REJECTED: lazy("Wrong proof of who one is"),
    actions.REFUSED: lazy("Refused"),
    actions.REFRESH_TOKEN_REUSED: lazy("Refresh token used twice"),
    actions.ROLE_ESCALATION_ATTEMPT: lazy("Attempt at another role"),
    actions.SECOND_FACTOR_REJECTED: lazy("Wrong second factor"),
    actions.SIGNATURE_FAILED: lazy("Token with a wrong signature"),
}
SEVERITIES: Mapping[str, Promise] = {
    Severity.LOW: lazy("low"),
    Severity.MEDIUM: lazy("medium"),
    Severity.HIGH: lazy("high"),
    Severity.CRITICAL: lazy("critical"),
}
QUOTAS: Mapping[str, Promise] = {
    quotas.CODES_PER_DAY: lazy("code mails today"),
    quotas.CODES_PER_MONTH: lazy("code mails this month"),
    quotas.SMS_PER_DAY: lazy("SMS today"),
    quotas.SMS_PER_MONTH: lazy("SMS this month"),
}


def method(label: str) -> str:
    return str(METHODS.get(label) or label or _("Other"))


def failure(label: str) -> str:
    """An action, and the rule that refused if one is named."""
    name, _between, rule = label.partition("/")
    return f"{action(name)}: {refusal_texts.rule(rule).removesuffix('.')}" if rule else action(name)


def security(label: str) -> str:
    severity, _between, name = label.partition("/")
    return f"{action(name)} ({SEVERITIES.get(severity) or severity})"


def action(name: str) -> str:
    return str(ACTIONS.get(name) or readable(name).capitalize())


def readable(name: str) -> str:
    return name.replace("_", " ")


def seconds(value: float | None) -> str:
    """A time as people say it: to two digits, in the unit that fits."""
    if value is None:
        return NOTHING
    if value < 1:
        return _("%s s") % number_format(value, 2)
    if value < 60:
        return _("%s s") % number_format(value, 1)
    if value < 3600:
        return _("%s min") % number_format(value / 60, 1)
    return _("%s h") % number_format(value / 3600, 1)


def percent(part: int, whole: int) -> str:
    return _("%s %%") % number_format(100 * part / whole, 1) if whole else NOTHING


def hours(count: int) -> str:
    return ngettext("%d hour", "%d hours", count) % count

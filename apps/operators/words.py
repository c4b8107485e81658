"""What the admin calls models, columns and kinds of mail, in the reader's language.

Models name their columns for programmers ("amr", "next_try_at"). What operators read stands here, in one place, so that a
column has one name on every page, and a test finds those without any.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.tokens import proof

Words = str | Promise

MODELS: dict[str, tuple[Words, Words]] = {
    "auth.User": (_("operator"), _("operators")),  # Django's own: users are the customers'
    "api_keys.ApiKey": (_("API key"), _("API keys")),
    "approvals.IdentityCheck": (_("identity check"), _("identity checks")),
    "audit.Event": (_("audit event"), _("audit events")),
    "customers.AllowedNetwork": (_("allowed network"), _("allowed networks")),
    "customers.Customer": (_("customer"), _("customers")),
    "customers.LimitOverride": (_("limit of its own"), _("limits of its own")),
    "factors.Passkey": (_("passkey"), _("passkeys")),
    "factors.Phone": (_("phone"), _("phones")),
    "factors.RecoveryCode": (_("recovery code"), _("recovery codes")),
    "factors.Totp": (_("authenticator app"), _("authenticator apps")),
    "mail.LedgerEntry": (_("step"), _("steps")),
    "mail.Message": (_("mail"), _("mails")),
    "oauth.RegisteredClient": (_("OAuth client"), _("OAuth clients")),
    "operators.AuthenticatorApp": (_("authenticator app"), _("authenticator apps")),
    "operators.OperatorPasskey": (_("passkey"), _("passkeys")),
    "operators.OperatorSession": (_("session"), _("sessions")),
    "otp.FixedCode": (_("fixed code"), _("fixed codes")),
    "payloads.ServiceKeyPair": (_("service key"), _("service keys")),
    "tokens.Session": (_("session"), _("sessions")),
    "users.Permission": (_("permission"), _("permissions")),
    "users.Role": (_("role"), _("roles")),
    "users.User": (_("user"), _("users")),
}

COLUMNS: dict[str, Any] = {
    "aaguid": _("model of the authenticator"),
    "access_lifetime": _("access lifetime"),
    "account_url": _("address of the account page"),
    "algorithm": _("algorithm"),
    "allowed_origins": _("allowed origins"),
    "allows_registration": _("allows registration"),
    "amr": _("signed in with"),
    "answer": _("answer"),
    "answer_signed_at": _("answer signed"),
    "approved_at": _("approved"),
    "asked_at": _("asked"),
    "at": _("time"),
    "attempts": _("attempts"),
    "auth_time": _("last proof"),
    "backed_up": _("backed up"),
    "channel": _("channel"),
    "code_alphabet": _("alphabet of codes"),
    "code_length": _("length of codes"),
    "code_lifetime": _("lifetime of codes"),
    "code_resend_after": _("a further code after"),
    "colour": _("colour"),
    "confirmed_at": _("confirmed"),
    "content": _("content"),
    "count": _("count"),
    "created_at": _("created"),
    "creates_users_on_sign_in": _("creates users on sign-in"),
    "customer": _("customer"),
    "customer_id": _("customer"),
    "daily_code_quota": _("codes a day"),
    "daily_sms_quota": _("SMS a day"),
    "decided_at": _("decided"),
    "decided_by": _("decided by"),
    "default_locale": _("language"),
    "delivery": _("tokens are handed out"),
    "demands_approval": _("demands approval"),
    "demands_verified_email": _("demands a verified address"),
    "description": _("description"),
    "disabled_at": _("disabled"),
    "email": _("email address"),
    "email_verified_at": _("address verified"),
    "end_reason": _("why it ended"),
    "ended_at": _("ended"),
    "enforce_allowlist_on_tokens": _("allowlist for tokens, too"),
    "environment": _("environment"),
    "expires_at": _("expires"),
    "file_types": _("types of files"),
    "hint": _("number"),
    "id": _("id"),
    "identity_check_url": _("address of the identity check"),
    "ip": _("IP address"),
    "key_id": _("key id"),
    "kid": _("key id"),
    "kind": _("kind"),
    "largest_file_bytes": _("largest file"),
    "last_activity_at": _("last activity"),
    "last_error": _("last error"),
    "last_sign_in_at": _("last sign-in"),
    "last_used_at": _("last used"),
    "leased_until": _("with a worker until"),
    "locale": _("language"),
    "logo_url": _("address of the logo"),
    "monthly_code_quota": _("codes a month"),
    "monthly_sms_quota": _("SMS a month"),
    "name": _("name"),
    "network": _("network"),
    "next_try_at": _("next try"),
    "note": _("note"),
    "operators_told_at": _("operators told"),
    "passkey_domain": _("domain of passkeys"),
    "permissions": _("permissions"),
    "phone": _("phone"),
    "post_logout_redirect_uris": _("addresses after sign-out"),
    "reason": _("reason"),
    "reauthenticate_after": _("fresh proof after"),
    "recipient": _("recipient"),
    "redirect_uris": _("redirect addresses"),
    "refresh_grace": _("grace for refreshing"),
    "refresh_lifetime": _("refresh lifetime"),
    "remember_device_days": _("remember browsers for, in days"),
    "reply_to": _("replies to"),
    "retires_at": _("decrypts until"),
    "revoked_at": _("revoked"),
    "role": _("role"),
    "scopes": _("scopes"),
    "second_factor": _("second factor"),
    "sender_name": _("name of the sender"),
    "server": _("server"),
    "sessions_per_user": _("sessions of a user"),
    "site_domain": _("domain of the site"),
    "slug": _("short name"),
    "sms_regions": _("regions for SMS"),
    "sms_sender": _("sender of SMS"),
    "state": _("state"),
    "status": _("status"),
    "step": _("step"),
    "suspected_clone_at": _("copy suspected"),
    "total_file_bytes": _("all files of a user"),
    "transports": _("ways to reach it"),
    "updated_at": _("changed"),
    "used_at": _("used"),
    "user": _("user"),
    "user_agent": _("browser"),
    "user_id": _("user"),
    "valid_until": _("valid until"),
    "window": _("window, in seconds"),
    "wrong_codes": _("wrong codes in a row"),
    "wrong_second_factors": _("wrong second factors in a row"),
}

KINDS_OF_MAIL: dict[str, Words] = {
    "alerts_raised": _("Alert"),
    "already_registered": _("Registered already"),
    "change_email_code": _("Code for a new address"),
    "email_changed": _("Address changed"),
    "factor_added": _("Second factor added"),
    "factor_removed": _("Second factor removed"),
    "new_device": _("New device"),
    "operator_invitation": _("Invitation of an operator"),
    "operator_notice": _("Notice to an operator"),
    "operator_password_reset": _("Link for an operator's new password"),
    "passkey_cloned": _("Copy of a passkey suspected"),
    "password_changed": _("Password changed"),
    "password_locked": _("Password sign-in locked"),
    "password_reset": _("Link for a new password"),
    "reauthentication_code": _("Code for a fresh proof"),
    "recovery_codes_low": _("Few recovery codes left"),
    "second_factor_code": _("Second factor"),
    "second_factor_sms": _("Second factor by SMS"),
    "sign_in_code": _("Code to sign in"),
    "test_mail": _("Test mail"),
    "user_approved": _("Approved"),
    "user_rejected": _("Rejected"),
    "users_waiting": _("Users wait to be approved"),
    "verify_email_code": _("Code to verify an address"),
}


# Django's own buttons, whose German says "Sichern" beside our "Speichern".
OF_DJANGO: tuple[Words, ...] = (_("Save and add another"), _("Save and continue editing"), _("Save and view"))

TOLD_BY_USER = ("approvals.IdentityCheck", "factors.Phone", "factors.RecoveryCode", "factors.Totp", "tokens.Session")


PROOFS: dict[str, Words] = {
    proof.PASSWORD: _("password"),
    proof.ONE_TIME_CODE: _("one-time code"),
    proof.SMS: _("SMS"),
    proof.HARDWARE_KEY: _("passkey"),
    proof.SEVERAL_FACTORS: _("several factors"),
}


def proven_by(amr: Iterable[str]) -> str:
    """How a session began, for a list of names of RFC 8176."""
    return ", ".join(str(PROOFS.get(name, name)) for name in amr)


def kind_of_mail(kind: str) -> str:
    return str(KINDS_OF_MAIL.get(kind, kind.replace("_", " ").capitalize()))


def name_of(row: Model) -> str:
    """What a page calls a row. Many are told apart by their user alone: their own text is for logs, and names an id."""
    label = row._meta.label
    if label == "mail.Message":
        return f"{kind_of_mail(row.kind)} · {row.recipient}"  # type: ignore[attr-defined]
    if label == "payloads.ServiceKeyPair":
        return str(row.kid)  # type: ignore[attr-defined]
    if label in TOLD_BY_USER:
        return str(row.user)  # type: ignore[attr-defined]
    return capfirst(str(row._meta.verbose_name)) if label == "audit.Event" else str(row)


def sessions_end(number: int) -> str:
    """What a change will do."""
    return ngettext("%d living session ends.", "%d living sessions end.", number) % number


def sessions_ended(number: int) -> str:
    """What a change has done."""
    return ngettext("%d session ended.", "%d sessions ended.", number) % number


def name_everything() -> None:
    """Give models and columns their names, where the model says none itself.

    Migrations do not see it: they read what the model has been declared with.
    """
    for model in apps.get_models():
        if model.__module__.startswith("apps.") or model._meta.label in MODELS:
            one, many = MODELS.get(model._meta.label, (model._meta.verbose_name, model._meta.verbose_name_plural))
            model._meta.verbose_name, model._meta.verbose_name_plural = one, many  # type: ignore[assignment]
            for column in model._meta.concrete_fields:
                if not isinstance(column.verbose_name, Promise):
                    column.verbose_name = COLUMNS.get(column.name, column.verbose_name)

"""What an empty list says."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from apps.operators.words import Words

register = template.Library()
WHEN_EMPTY: dict[str, Words] = {
    "alerts.Alert": _("Alerts come from rules: when a number passes what a rule allows, it is listed here."),
    "alerts.AlertRule": _("A rule says from which number on somebody is told by mail."),
    "api_keys.ApiKey": _(
        "A key lets an app or a server of a customer call the API. Make one, and try the call it is shown with."
    ),
    "approvals.IdentityCheck": _(
        "Nobody waits. Users appear here when they register at a customer that demands approval."
    ),
    "customers.Customer": _("A customer is a tenant: its users, keys and policy stand apart from all others."),
    "factors.Passkey": _("Users enrol passkeys on their account page, or by your app."),
    "factors.Phone": _("Users enrol a phone on their account page, or by your app."),
    "factors.Totp": _("Users enrol an authenticator app on their account page, or by your app."),
    "mail.Message": _("Every mail and SMS is listed here from the moment it is asked for: try a sign-in by code."),
    "oauth.RegisteredClient": _("Register an app that signs its users in by OAuth or OpenID Connect."),
    "otp.FixedCode": _("A fixed code lets a reviewer of an app store in without a mailbox, until a date."),
    "tokens.Session": _("A session begins when a user signs in."),
    "users.Permission": _("A permission is a name that roles give, and that tokens carry."),
    "users.Role": _("A role gives permissions to those who have it. admin and company_user exist without it."),
    "users.User": _("Users appear here when they first sign in or register."),
}


@register.simple_tag
def when_empty(rows: Any) -> Words:
    return WHEN_EMPTY.get(rows.opts.label, "")

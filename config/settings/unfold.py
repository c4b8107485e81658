"""How the operators' admin looks, and what its sidebar holds."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _entry(title: Any, icon: str, name: str) -> dict[str, Any]:
    app, model = name.split("_", 1)
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SYMBOL": "gate",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Tenants"),
                "items": [
                    {"title": _("Overview"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
                    _entry(_("Customers"), "apartment", "customers_customer"),
                    _entry(_("API keys"), "key", "api_keys_apikey"),
                    _entry(_("OAuth clients"), "apps", "oauth_registeredclient"),
                    _entry(_("Fixed codes"), "pin", "otp_fixedcode"),
                ],
            },
            {
                "title": _("People"),
                "items": [
                    _entry(_("Users"), "person", "users_user"),
                    {
                        "title": _("Why refused?"),
                        "icon": "contact_support",
                        "link": reverse_lazy("admin:why_refused"),
                        "permission": lambda request: request.user.has_perms(("audit.view_event", "users.view_user")),
                    },
                    _entry(_("To approve"), "how_to_reg", "approvals_identitycheck"),
                    _entry(_("Roles"), "groups", "users_role"),
                    _entry(_("Permissions"), "checklist", "users_permission"),
                    _entry(_("Sessions"), "devices", "tokens_session"),
                    _entry(_("Authenticator apps"), "phonelink_lock", "factors_totp"),
                    _entry(_("Passkeys"), "passkey", "factors_passkey"),
                    _entry(_("Phones"), "sms", "factors_phone"),
                ],
            },
            {
                "title": _("Operations"),
                "items": [
                    _entry(_("Alerts"), "notifications", "alerts_alert"),
                    _entry(_("Alert rules"), "tune", "alerts_alertrule"),
                    _entry(_("Mail"), "mail", "mail_message"),
                    _entry(_("Audit events"), "history", "audit_event"),
                    _entry(_("Service keys"), "encrypted", "payloads_servicekeypair"),
                    _entry(_("Operators"), "badge", "auth_user"),
                ],
            },
        ],
    },
}

"""A customer's policy as its page shows it: which fields, in which groups, with which help, and who may fill them in."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

HELP_TEXTS = {
    "algorithm": (
        "Another one takes effect at once: new tokens are signed by a new version, the old verifies until the longest of "
        "its tokens has expired. With a key pair, servers verify offline by the customer's published keys."
    ),
    "access_lifetime": "Seconds; 300 (5 min) to 86400 (24 h). The default, 25200, is 7 h.",
    "refresh_lifetime": "Seconds; 3600 (1 h) to 7776000 (90 days). The default, 604800, is 7 days.",
    "refresh_grace": "Seconds for which a used refresh token gets the same successor again; 0 switches it off.",
    "reauthenticate_after": "Seconds; 60 (1 min) to 86400 (24 h). Who signed in longer ago must prove once more who "
    "they are before they change factors, password or address, or erase the account. The default, 600, is 10 minutes.",
    "code_lifetime": "Seconds; the default, 600, is 10 minutes.",
    "code_resend_after": "Seconds before a further code may be asked for.",
    "code_length": "4 to 10 characters.",
    "creates_users_on_sign_in": "Off: only users who exist already can sign in by code.",
    "allows_registration": "Off: nobody can register; users are made by operators, invited, or sign in by code.",
    "demands_verified_email": "A user who registered is pending until the code in the mail was entered.",
    "demands_approval": "A user is pending until an operator, or the identity check below, has approved it.",
    "identity_check_url": "Where an outside identity check is asked for. Empty: operators approve.",
    "second_factor": "Required: who has none is led to enrol one. Both: an SMS code and a passkey.",
    "passkey_domain": "The domain that passkeys are bound to (WebAuthn's RP ID). Changing it makes all passkeys useless. "
    "Empty: the site's domain, else the host of PUBLIC_URL.",
    "sessions_per_user": "1 to 1000. With one more sign-in the session least lately used ends.",
    "account_url": "Where links in mails lead: your own pages for reset, undo and the like. Empty: our pages.",
    "daily_sms_quota": "In segments, which is what carriers charge for.",
    "monthly_sms_quota": "In segments.",
    "sms_sender": "A number (+49…), a short code, or up to 11 letters and digits, as the provider allows.",
    "logo_url": "An https address of a picture: mail programs load no other.",
    "default_locale": "en or de. For users who have said nothing else.",
    "sms_regions": 'Countries to which SMS are sent, as JSON: ["DE", "AT"]. Empty: everywhere.',
    "enforce_allowlist_on_tokens": "Check the allowlist on requests made with tokens too, not only with API keys.",
    "allowed_origins": 'As JSON: ["https://app.example.com"]. For CORS alone, all subdomains: "https://*.preview.example.com". '
    'A native app: "capacitor://localhost"; an Android app\'s passkeys: "android:apk-key-hash:…".',
    "site_domain": 'Binds the code in the mail to a site: "@example.com #123456". Empty: the host of PUBLIC_URL.',
    "colour": "#rrggbb, for mails.",
    "slug": "Part of the issuer of every token: cannot be changed later.",
}
FIELDSETS = (
    (None, {"fields": ("name", "slug", "id", "status", "created_at")}),
    ("Secrets", {"fields": ("secrets", "algorithm")}),
    (
        "Tokens and sessions",
        {
            "fields": (
                "access_lifetime",
                "refresh_lifetime",
                "refresh_grace",
                "reauthenticate_after",
                "sessions_per_user",
            )
        },
    ),
    (
        "Codes",
        {
            "fields": (
                "code_length",
                "code_alphabet",
                "code_lifetime",
                "code_resend_after",
                "creates_users_on_sign_in",
            )
        },
    ),
    (
        "Accounts",
        {
            "fields": (
                "allows_registration",
                "demands_verified_email",
                "demands_approval",
                "identity_check_url",
                "account_url",
            )
        },
    ),
    ("Second factors", {"fields": ("second_factor", "passkey_domain")}),
    ("SMS", {"fields": ("sms_sender", "sms_regions", "daily_sms_quota", "monthly_sms_quota")}),
    ("Quotas", {"fields": ("daily_code_quota", "monthly_code_quota", "default_limits")}),
    ("Where from", {"fields": ("enforce_allowlist_on_tokens", "allowed_origins")}),
    (
        "Mail",
        {"fields": ("sender_name", "reply_to", "logo_url", "colour", "site_domain", "default_locale")},
    ),
)


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:  # the model and the fields are the admin's choice
        help_texts = HELP_TEXTS
        widgets = {name: UnfoldAdminTextareaWidget(attrs={"rows": 3}) for name in ("allowed_origins", "sms_regions")}

    def clean_allowed_origins(self) -> list[str]:
        """A field left empty is an empty list."""
        return self.cleaned_data["allowed_origins"] or []

    def clean_sms_regions(self) -> list[str]:
        return self.cleaned_data["sms_regions"] or []


class CustomerFormOfOthers(CustomerForm):
    """The form for operators who may not approve users: where an outside check approves them is fixed.

    The disabled field ignores what is posted.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "identity_check_url" in self.fields:  # not on a page that only shows the policy
            self.fields["identity_check_url"].disabled = True

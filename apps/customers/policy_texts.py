"""What people read of each field of the policy: its label, and what it means. Durations are read and written as "7 h"."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Texts = Mapping[str, Promise]

LABELS: Texts = {
    "algorithm": _("Signing algorithm"),
    "access_lifetime": _("Access tokens live for"),
    "refresh_lifetime": _("A session that is not used ends after"),
    "refresh_grace": _("A used refresh token is answered again for"),
    "reauthenticate_after": _("Fresh proof is needed after"),
    "sessions_per_user": _("Sessions of one user"),
    "code_length": _("Length of a code"),
    "code_alphabet": _("Codes are made of"),
    "code_lifetime": _("A code is good for"),
    "code_resend_after": _("Another code may be asked for after"),
    "creates_users_on_sign_in": _("Strangers become users by signing in"),
    "allows_registration": _("Users may register themselves"),
    "demands_verified_email": _("The address must be proven"),
    "demands_approval": _("Users must be approved"),
    "identity_check_url": _("Outside identity check"),
    "account_url": _("Your own account pages"),
    "second_factor": _("Second factor"),
    "passkey_domain": _("Domain of passkeys"),
    "remember_device_days": _("Days for which a trusted browser is remembered"),
    "sms_sender": _("Sender of SMS"),
    "sms_regions": _("Countries to which SMS are sent"),
    "daily_sms_quota": _("SMS segments a day"),
    "monthly_sms_quota": _("SMS segments a month"),
    "largest_file_bytes": _("Largest file"),
    "total_file_bytes": _("All files together"),
    "file_types": _("Types of files"),
    "daily_code_quota": _("Code mails a day"),
    "monthly_code_quota": _("Code mails a month"),
    "enforce_allowlist_on_tokens": _("Check the allowlist on tokens, too"),
    "allowed_origins": _("Allowed origins"),
    "sender_name": _("Sender's name"),
    "reply_to": _("Reply to"),
    "logo_url": _("Logo"),
    "colour": _("Colour"),
    "site_domain": _("Domain that codes are bound to"),
    "default_locale": _("Language"),
}

HELP: Texts = {
    "algorithm": _(
        "Another one takes effect at once: new tokens are signed by a new version, the old verifies until the longest of "
        "its tokens has expired. With a key pair, servers verify offline by the customer's published keys."
    ),
    "access_lifetime": _("5 min to 24 h. The default is 7 h."),
    "refresh_lifetime": _("1 h to 90 d. The default is 7 d."),
    "refresh_grace": _("So that a lost answer or a second tab signs nobody out. 0 s to 60 s; 0 switches it off."),
    "reauthenticate_after": _(
        "Who signed in longer ago must prove once more who they are before they change factors, password or address, "
        "or erase the account. 1 min to 24 h. The default is 10 min."
    ),
    "sessions_per_user": _("1 to 1000. With one more sign-in the session least lately used ends."),
    "code_length": _("4 to 10 characters."),
    "code_lifetime": _("1 min to 1 h. The default is 10 min."),
    "code_resend_after": _("0 s to 10 min. The default is 30 s."),
    "creates_users_on_sign_in": _("Off: only users who exist already can sign in by code."),
    "allows_registration": _("Off: nobody can register; users are made by operators, invited, or sign in by code."),
    "demands_verified_email": _("A user who registered is pending until the code in the mail was entered."),
    "demands_approval": _("A user is pending until an operator, or the identity check below, has approved it."),
    "identity_check_url": _("Where an outside identity check is asked for. Empty: operators approve."),
    "account_url": _("Where links in mails lead: your own pages for reset, undo and the like. Empty: our pages."),
    "second_factor": _("Required: who has none is led to enrol one. Both: an SMS code and a passkey."),
    "passkey_domain": _(
        "The domain that passkeys are bound to (WebAuthn's RP ID). Changing it makes all passkeys useless. "
        "Empty: the site's domain, else the host of PUBLIC_URL."
    ),
    "remember_device_days": _(
        "A browser that the user trusts is not asked for the second factor on the hosted pages. 0: always ask."
    ),
    "sms_sender": _("A number (+49…), a short code, or up to 11 letters and digits, as the provider allows."),
    "sms_regions": _("One a line, as two capital letters: DE, AT. Empty: everywhere."),
    "daily_sms_quota": _("In segments, which is what carriers charge for."),
    "monthly_sms_quota": _("In segments, which is what carriers charge for."),
    "largest_file_bytes": _("Such as 25 MiB, which is the default; 1 KiB to 5 GiB."),
    "total_file_bytes": _("Of all its users together. 0 B to 100 TiB; the default is 1 GiB."),
    "file_types": _(
        "Media types that may be uploaded, one a line: application/pdf, image/jpeg. What counts is the content, not the name."
    ),
    "enforce_allowlist_on_tokens": _("Check the allowlist on requests made with tokens too, not only with API keys."),
    "allowed_origins": _(
        "One a line: https://app.example.com. For CORS alone, all subdomains: https://*.preview.example.com. "
        "A native app: capacitor://localhost; an Android app's passkeys: android:apk-key-hash:…"
    ),
    "sender_name": _("Whom mails come from. Empty: the customer's name."),
    "reply_to": _("Where answers to mails go. Empty: nowhere."),
    "logo_url": _("An https address of a picture: mail programs load no other."),
    "colour": _("As #rrggbb, for mails and hosted pages."),
    "site_domain": _('Binds the code in the mail to a site: "@example.com #123456". Empty: the host of PUBLIC_URL.'),
    "default_locale": _("en or de. For users who have said nothing else."),
}

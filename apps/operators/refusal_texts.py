"""What operators read about a refusal: each rule, each step, and each thing that happened, as a sentence."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.audit import actions, steps

Texts = Mapping[str, str | Promise]

RULES: Texts = {
    "customer_suspended": _("The customer is suspended."),
    "unknown_customer": _("There is no customer of this name."),
    "api_key_required": _("No API key was sent, and this installation demands one."),
    "invalid_api_key": _("The API key is another customer's."),
    "mistyped_api_key": _("The API key is mistyped: its checksum is wrong."),
    "unknown_api_key": _("This customer has no such API key."),
    "wrong_api_key": _("The secret of the API key is wrong."),
    "revoked_api_key": _("The API key was revoked."),
    "expired_api_key": _("The API key has expired."),
    "permission_denied": _("A scope, a role or a permission is missing."),
    "ip_not_allowed": _("The address is outside the customer's IP allowlist."),
    "resend": _("A code was sent a moment ago; the next must wait."),
    "codes_per_email": _("Too many codes were asked for this address."),
    "codes_per_ip": _("Too many codes were asked for from this network."),
    "codes_per_customer": _("Too many codes were asked for at this customer."),
    "tries_per_email_and_ip": _("Too many tries for this address from this network."),
    "tries_per_ip": _("Too many tries from this network."),
    "tries_per_email": _("Too many tries for this address."),
    "wrong_codes_in_a_row": _("So many wrong codes in a row were given that codes are closed to this user."),
    "wrong_codes_per_customer": _(
        "Codes of this customer's users are being guessed: after a wrong one, an address pauses."
    ),
    "refreshes_per_session": _("The session refreshed too often."),
    "second_factors_per_user": _("Too many second factors were tried for this user."),
    "sms_per_number": _("Too many SMS were asked for to this number."),
    "sms_per_user": _("Too many SMS were asked for by this user."),
    "signups_per_ip": _("Too many customers were signed up from this network."),
    "codes_per_day": _("The customer's mail quota of today is spent."),
    "codes_per_month": _("The customer's mail quota of this month is spent."),
    "sms_per_day": _("The customer's SMS quota of today is spent."),
    "sms_per_month": _("The customer's SMS quota of this month is spent."),
    "unknown_user": _("No user of this customer has the address."),
    "user_inactive": _("The account is deactivated."),
    "user_pending": _("The account is pending: roles and permissions do not count yet."),
    "pending_email": _("The account is pending: its address is not proven yet. It signs in, but without its rights."),
    "pending_approval": _("The account is pending: it is not approved yet. It signs in, but without its rights."),
    "rejected": _("The account was rejected. It signs in, but without its rights."),
    "wrong_code": _("The code was wrong."),
    "no_living_code": _("There was no living code: expired, used, or never asked for."),
    "codes_spent": _("The code was wrong, and the last that its set allowed: all codes on their way are void."),
    "code_used": _("The code was used a moment before, by another request."),
    "code_void": _("The code was right, but what it was for has changed since."),
    "admin_by_known_code": _("An administrator cannot sign in by a fixed code, or one of a test key."),
    "other_mailbox": _("The code went to another mailbox than the account's."),
    "wrong_password": _("The password was wrong."),
    "no_password": _("The account has no password."),
    "password_locked": _("The password is locked after five wrong ones."),
    "invalid_credentials": _("The password was changed or locked at that moment."),
    "wrong_second_factor": _("The second factor was wrong."),
    "wrong_first_code": _("The first code of a new factor was wrong."),
    "wrong_proof": _("The fresh proof was wrong."),
    "useless_link": _("The link is unknown, used, expired or void."),
    "invalid_passkey": _("The passkey is unknown, or its signature is wrong."),
    "replayed_request": _("The same request had come before."),
    "session_ended": _("The session has ended."),
    "token_revoked": _("The token was revoked."),
    "token_expired": _("The token has expired."),
    "invalid_token": _("The token is not valid here, or its sign-in is over."),
    "registration_closed": _("The customer takes no registrations."),
    "signup_closed": _("This installation takes no new customers."),
    "wrong_client_secret": _("The OAuth client's secret is wrong."),
    "disabled_client": _("The OAuth client is disabled."),
    "csrf_failed": _("The request came from another site's page."),
    "mail_failed": _("The newest mail to this address was given up: see what happened."),
    "mail_deferred": _("No server took the newest mail to this address yet; it is tried again."),
    "mails_late": _("Mails of this customer wait for longer than a minute. Is a worker running?"),
    "temporarily_unavailable": _("Valkey does not answer: until it does, no code is handed out or checked."),
}

STEPS: Texts = {
    steps.CALL: _("A request was refused"),
    steps.CALL_WITH_TOKEN: _("A request with a token was refused"),
    steps.OPEN_PAGE: _("Opening the sign-in page was refused"),
    steps.ASK_FOR_CODE: _("Asking for a code was refused"),
    steps.GIVE_CODE: _("Giving a code was refused"),
    steps.GIVE_PASSWORD: _("Giving the password was refused"),
    steps.GIVE_PASSKEY: _("Signing in by passkey was refused"),
    steps.ASK_FOR_SECOND_FACTOR: _("Asking for a second factor was refused"),
    steps.GIVE_SECOND_FACTOR: _("The second factor was refused"),
    steps.ENROL_FACTOR: _("Enrolling a factor was refused"),
    steps.REFRESH: _("Refreshing the session was refused"),
    steps.REGISTER: _("Registering was refused"),
    steps.SIGN_UP: _("Signing up a customer was refused"),
    steps.FORGOT_PASSWORD: _("Asking for a reset link was refused"),
    steps.RESET_PASSWORD: _("Resetting the password was refused"),
    steps.UNDO_EMAIL_CHANGE: _("Undoing a change of address was refused"),
    steps.REAUTHENTICATE: _("A fresh proof was refused"),
}

HAPPENED: Texts = {
    actions.CODE_REQUESTED: _("Asked for a code"),
    actions.CODE_REJECTED: _("Gave a code that was refused"),
    actions.PASSWORD_REJECTED: _("Gave a password that was refused"),
    actions.PASSWORD_LOCKED: _("Gave a fifth wrong password: it is locked for half an hour"),
    actions.PASSWORD_RESET_REQUESTED: _("Asked for a link to reset the password"),
    actions.PASSWORD_RESET: _("Reset the password"),
    actions.PASSWORD_RESET_REJECTED: _("Used a reset link that was refused"),
    actions.PASSWORD_CHANGED: _("Changed the password"),
    actions.SECOND_FACTOR_ASKED: _("Was asked for a second factor"),
    actions.SECOND_FACTOR_SENT: _("Was sent a code as the second factor"),
    actions.SECOND_FACTOR_REJECTED: _("Gave a second factor that was refused"),
    actions.FACTOR_ENROLLED: _("Set up a second factor"),
    actions.FACTOR_REMOVED: _("Removed a second factor"),
    actions.PASSKEY_REJECTED: _("Gave a passkey that was refused"),
    actions.REAUTHENTICATION_REJECTED: _("Gave a fresh proof that was refused"),
    actions.ADDRESS_REFUSED: _("A key was used from outside the allowlist"),
    actions.SIGN_IN: _("Signed in"),
    actions.TOKEN_REFRESHED: _("Refreshed the session"),
    actions.LOGOUT: _("Signed out"),
    actions.SESSION_ENDED: _("A session ended"),
    actions.NEW_DEVICE: _("Signed in from a new device"),
    actions.USER_CREATED: _("The user was made"),
    actions.USER_REGISTERED: _("Registered"),
    actions.USER_APPROVED: _("Was approved"),
    actions.USER_REJECTED: _("Was rejected"),
    actions.USER_DEACTIVATED: _("Was deactivated"),
    actions.USER_REACTIVATED: _("Was reactivated"),
    actions.USER_CHANGED: _("Was changed"),
    actions.EMAIL_VERIFIED: _("Proved the address"),
    actions.EMAIL_CHANGED: _("Moved to another address"),
    actions.WRONG_CODES_CLEARED: _("An operator opened codes to the user again"),
    actions.REFUSALS_LEFT_OUT: _("A flood: these refusals were only counted"),
    actions.EXPIRED_TOKEN_REPLAYED: _("Sent a token that has expired"),
    actions.SIGNATURE_FAILED: _("Sent a token with a wrong signature"),
    actions.OAUTH_CLIENT_REJECTED: _("An OAuth client was refused"),
    "mail_posted": _("A mail was queued"),
    "mail_withheld": _("No mail was sent"),
    "mail_taken": _("A worker took the mail"),
    "mail_accepted": _("A server took the mail"),
    "mail_deferred": _("A server did not take the mail; it is tried again"),
    "mail_failed": _("The mail was given up"),
    "mail_resent": _("An operator sent the mail again"),
    "mail_code_used": _("The code in the mail was used"),
}

CHECKED: Texts = {
    "customer": _("Customer"),
    "key": _("API key"),
    "allowlist": _("IP allowlist"),
    "account": _("Approval"),
    "codes": _("Codes for this account"),
    "resend": _("Wait between two codes"),
    "wrong_codes_per_customer": _("Pause while codes are guessed"),
    "codes_per_email": _("Codes asked for, this address"),
    "codes_per_ip": _("Codes asked for, this network"),
    "codes_per_customer": _("Codes asked for, this customer"),
    "quota": _("Mail quota"),
    "mail": _("Mail"),
    "living_codes": _("Codes on their way"),
    "wrong_codes": _("Wrong tries at these codes"),
    "tries_per_email_and_ip": _("Tries, this address and network"),
    "tries_per_email": _("Tries, this address"),
    "tries_per_ip": _("Tries, this network"),
    "password": _("Password"),
    "second_factor": _("Second factor"),
}

NOT_ASKED: Texts = {
    "key": _("Not known: give the key's id above."),
    "codes": _("Not known: give the address above."),
    "living_codes": _("None is on its way: one must be asked for first."),
}
NOT_ASKED_OTHERWISE = _("Not known: give the IP address above.")


def rule(name: str) -> str:
    """What a rule says; its own name if it is one that we have no words for."""
    return str(RULES.get(name, name))


def happened(name: str, step: str = "") -> str:
    """What happened, by the event's action and the step that was refused."""
    if name == actions.REFUSED:
        return str(STEPS.get(step, name))
    return str(HAPPENED.get(name, name.replace("_", " ").capitalize()))

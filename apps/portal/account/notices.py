"""What a page says after it has done something and sent the browser on: one sentence, once.

It waits in a cookie that names a sentence of ours, so nobody can put words of their own on the page.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COOKIE = "__Host-gatehouse_notice"
LIFETIME_SECONDS = 60

PROVE_FIRST = "prove-first"
SESSION_ENDED, OTHERS_ENDED = "session-ended", "others-ended"
PASSKEY_ADDED, PASSKEY_RENAMED = "passkey-added", "passkey-renamed"
APP_CONFIRMED, PHONE_CONFIRMED, FACTOR_REMOVED = "app-confirmed", "phone-confirmed", "factor-removed"
CODES_MADE = "codes-made"
PROFILE_SAVED, EMAIL_CHANGED = "profile-saved", "email-changed"
PASSWORD_CHANGED, PASSWORD_SET = "password-changed", "password-set"
CODE_SENT = "code-sent"
DEVICE_FORGOTTEN, DEVICES_FORGOTTEN = "device-forgotten", "devices-forgotten"

TEXTS: dict[str, str | Promise] = {
    PROVE_FIRST: _("That page had been open for a while, so nothing has been changed yet. Please do it once more."),
    SESSION_ENDED: _("That device is signed out."),
    OTHERS_ENDED: _("All other devices are signed out."),
    PASSKEY_ADDED: _("The passkey is added. You can sign in with it from now on."),
    PASSKEY_RENAMED: _("The passkey is renamed."),
    APP_CONFIRMED: _("The authenticator app is set up."),
    PHONE_CONFIRMED: _("The phone number is confirmed."),
    FACTOR_REMOVED: _("Removed."),
    CODES_MADE: _("New recovery codes have been made already. They are shown only once."),
    PROFILE_SAVED: _("Saved."),
    EMAIL_CHANGED: _("Your address has been changed."),
    PASSWORD_CHANGED: _("Your password has been changed, and your other devices are signed out."),
    PASSWORD_SET: _("Your password is set, and your other devices are signed out."),
    CODE_SENT: _("A code is on its way."),
    DEVICE_FORGOTTEN: _("That device will be asked for the second factor again."),
    DEVICES_FORGOTTEN: _("All devices will be asked for the second factor again."),
}


def leave(response: HttpResponseBase, name: str) -> None:
    """Have the next page say this."""
    _set(response, name, LIFETIME_SECONDS)


def is_waiting(request: HttpRequest, name: str) -> bool:
    return request.COOKIES.get(COOKIE) == name


def waiting(request: HttpRequest) -> str | Promise | None:
    """The sentence that waits to be said."""
    return TEXTS.get(request.COOKIES.get(COOKIE, ""))


def forget(response: HttpResponseBase, request: HttpRequest) -> None:
    """It has been said."""
    if COOKIE in request.COOKIES:
        _set(response, "", 0)


def _set(response: HttpResponseBase, name: str, max_age: int) -> None:
    response.set_cookie(COOKIE, name, max_age=max_age, path="/", secure=True, httponly=True, samesite="Strict")

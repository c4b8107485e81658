"""The authenticator app: set up, confirmed, replaced, removed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.factors import overview, removal, totp
from apps.factors.methods import TOTP
from apps.factors.removal import Removal
from apps.factors.totp import AppEnrolment
from apps.portal.account import notices
from apps.portal.account.factor_page import RemovePage, enrolled
from apps.portal.account.form_page import AccountFormPage
from apps.portal.account.forms import Nothing, OneCodeForm
from apps.portal.account.page import AccountPage

PAGE = "authenticator-app"


class AppPage(AccountPage):
    template = "portal/account/authenticator_app.html"
    heading = _("Authenticator app")
    lead = _("An app on your phone shows a new code every 30 seconds, which you give when you sign in.")

    def facts(self) -> dict[str, Any]:
        return {"app_since": overview.of(self.user).app_since}


class BeginAppPage(AccountFormPage):
    """Each begin makes a fresh secret: nobody may have seen it before."""

    form_class = Nothing
    needs_fresh_proof = True
    back = PAGE
    heading = _("Set up an authenticator app")
    lead = _(
        "Install an authenticator app on your phone if you have none yet. Then let it scan the code that comes next."
    )
    button = _("Show the code")

    def act(self, given: dict[str, Any]) -> HttpResponse:
        totp.begin(self.user, customer=self.customer, now=self.context.now)
        return self.go(f"{PAGE}/confirm")


class ConfirmAppPage(AccountFormPage):
    """Shows the same secret until a right code has come: after a wrong one, and after a reload."""

    template = "portal/account/confirm_app.html"
    form_class = OneCodeForm
    needs_fresh_proof = True
    begins_at = f"{PAGE}/set-up"
    back = PAGE
    heading = _("Scan the code with your app")
    button = _("Confirm")

    def facts(self) -> dict[str, Any]:
        begun = self._begun()
        return {"secret": begun.secret, "link": begun.uri, "qr_code": begun.picture()} if begun else {}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return super().get(request) if self._begun() else self.go(PAGE)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return super().post(request) if self._begun() else self.go(PAGE)

    def act(self, given: dict[str, Any]) -> HttpResponse:
        codes = totp.confirm(self.user, given["code"], customer=self.customer, context=self.own_context)
        return enrolled(self, codes, notices.APP_CONFIRMED)

    def _begun(self) -> AppEnrolment | None:
        return totp.begun(self.user, customer=self.customer)


class RemoveAppPage(RemovePage):
    method = TOTP
    heading = _("Remove the authenticator app?")
    lead = _("Its codes will no longer be accepted.")
    back = PAGE

    def remove(self, wanted: Removal) -> None:
        removal.remove_app(wanted)

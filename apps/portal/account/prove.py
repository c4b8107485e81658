"""The fresh proof (contract 3.10): who is signed in shows once more who they are, and goes on where they were."""

import json
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS, TOTP
from apps.portal import browser_session, places
from apps.portal.account import notices
from apps.portal.account.form_page import AGAIN, AccountFormPage
from apps.portal.account.forms import CredentialForm, OneCodeForm, PasswordForm, RecoveryCodeForm
from apps.portal.sign_in import texts
from apps.signin import reauthentication, reauthentication_methods
from apps.signin.reauthentication_attempts import NOTHING_YET, GivenProof, ReauthenticationRequest
from apps.signin.reauthentication_methods import PASSWORD
from apps.signin.requirements import EMAIL

FORMS: dict[str, type[Form]] = {PASSKEY: CredentialForm, PASSWORD: PasswordForm, RECOVERY_CODE: RecoveryCodeForm}
ASK = {
    PASSKEY: _("Use a passkey of yours."),
    TOTP: _("Open your authenticator app, and type the code that it shows."),
    SMS: _("We send a code to your phone."),
    RECOVERY_CODE: _("Type one of your recovery codes. Each is good once."),
    PASSWORD: _("Type your password."),
    EMAIL: _("We send a code to your address."),
}
WAYS = {**texts.WAYS, PASSWORD: _("Password")}
TYPE_IT = _("Type the code that we have sent you.")
SENT_BY = (EMAIL, SMS)


class ProvePage(AccountFormPage):
    """Offers what the account has, the strongest first. `?next=` says where to go on, `?method=` what was chosen."""

    template = "portal/account/prove.html"
    heading = _("Confirm that it is you")
    lead = _("This is asked before anything important is changed.")
    button = _("Go on")

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        return super().to_go_to_first(request) or (self.go_on() if self.is_proof_fresh else None)

    def form(self, given: Any = None) -> Form:
        if self.method in SENT_BY:
            return OneCodeForm(given, label_suffix="").for_codes_of(self.customer.code_alphabet)
        return FORMS.get(self.method, OneCodeForm)(given, label_suffix="")

    def facts(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "ask": TYPE_IT if self.is_sent else ASK.get(self.method, ""),
            "others": [(WAYS[name], self._query(method=name)) for name in self.offered if name != self.method],
            "to_be_sent": self.method in SENT_BY and not self.is_sent,
            "is_sent": self.is_sent,
            "wait": self.wait,
            "options": json.dumps(reauthentication.send(self._asked())) if self.method == PASSKEY else "",
        }

    def post(self, request: HttpRequest) -> HttpResponseBase:
        return self.attempt(self.form(), self._send) if AGAIN in request.POST else super().post(request)

    def act(self, given: dict[str, Any]) -> HttpResponse:
        pair = reauthentication.prove(self._asked(GivenProof(**given)))
        response = self.go_on()
        browser_session.put(response, pair, self.customer)
        return response

    def _send(self) -> HttpResponse:
        reauthentication.send(self._asked())
        return self.go("prove", notices.CODE_SENT, next=self.next_page, method=self.method, sent="1")

    def _asked(self, given: GivenProof = NOTHING_YET) -> ReauthenticationRequest:
        return ReauthenticationRequest(
            customer=self.customer,
            user=self.user,
            now_is=self.here.user,
            session_id=self.session_id,
            method=self.method,
            context=self.context,
            given=given,
        )

    def _query(self, **query: str) -> str:
        return "?" + urlencode({"next": self.next_page, **query})

    @property
    def next_page(self) -> str:
        return self.request.GET.get("next", "")

    def go_on(self) -> HttpResponse:
        return self.redirect(places.account_page(self.customer, self.next_page))

    @property
    def is_sent(self) -> bool:
        return self.method in SENT_BY and "sent" in self.request.GET

    @cached_property
    def method(self) -> str:
        """What is asked for; empty if only another sign-in will do."""
        offered, wanted = self.offered, self.request.GET.get("method", "")
        return wanted if wanted in offered else next(iter(offered), "")

    @cached_property
    def offered(self) -> tuple[str, ...]:
        return reauthentication_methods.methods_for(self.user, self.customer)

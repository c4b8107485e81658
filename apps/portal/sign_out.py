"""Signing out of the hosted pages, in this browser. A link alone never does it: another site could make a browser follow one.

An app may send its user here (OpenID Connect RP-Initiated Logout 1.0), and gets the user back.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.core.content_policy import Policy
from apps.oauth import signing_out
from apps.oauth.errors import UnusableRequest
from apps.oauth.signing_out import LogoutRequest
from apps.portal import browser_session, form_targets, places
from apps.portal.browser_session import SignedInHere
from apps.portal.page import CustomerPage

ASKED_BY_AN_APP = {"client_id", "id_token_hint", "post_logout_redirect_uri"}


class SignOutPage(CustomerPage):
    """Asks first, and then ends the session, with all that apps were given by it."""

    template = "portal/sign_out.html"
    here: SignedInHere | None = None
    app: LogoutRequest | None = None

    def respond(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        self.app = self._asked_for(request)
        self.here = browser_session.read(request, self.customer, self.context)
        return super().respond(request, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request) if self.here is not None else self._leave(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.here is not None:
            self._end(self.here)
            self.here = None
        response = self._leave(request)
        browser_session.clear(response, self.customer)
        return response

    def allowed(self) -> Policy:
        back = self.app.address if self.app else None
        return {**super().allowed(), **(form_targets.of(back) if back else {})}

    def _end(self, here: SignedInHere) -> None:
        """On a borrowed computer, nobody wants to stay signed in to the apps."""
        signing_out.end_together(
            customer_id=self.customer.id, user_id=here.user.id, session_id=here.session_id, context=self.context
        )

    def _leave(self, request: HttpRequest) -> HttpResponse:
        back = self.app.address if self.app else None
        return self.send_to(request, back) if back else self._show(request)

    def _show(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, here=self.here, app=self.app, sign_in=places.sign_in(self.customer))

    def _asked_for(self, request: HttpRequest) -> LogoutRequest | None:
        """Raises UnusableRequest, also for another customer's app."""
        if not ASKED_BY_AN_APP & request.GET.keys():
            return None
        asked = signing_out.parse(dict(request.GET.lists()), now=self.context.now)
        if asked.customer.id != self.customer.id:
            raise UnusableRequest("client_id names another customer's client")
        return asked

"""Signing out of the hosted pages, in this browser. A link alone never does it: another site could make a browser follow one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.portal import browser_session, places
from apps.portal.browser_session import SignedInHere
from apps.portal.page import CustomerPage


class SignOutPage(CustomerPage):
    """Asks first, and then ends the session."""

    template = "portal/sign_out.html"
    here: SignedInHere | None = None

    def respond(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        self.here = browser_session.read(request, self.customer, self.context)
        return super().respond(request, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.here is not None:
            browser_session.end(self.here, self.customer, self.context)
            self.here = None
        response = self._show(request)
        browser_session.clear(response, self.customer)
        return response

    def _show(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, here=self.here, sign_in=places.sign_in(self.customer))

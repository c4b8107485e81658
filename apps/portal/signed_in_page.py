"""Pages for the user who is signed in, in this browser."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from apps.portal import browser_session, places
from apps.portal.browser_session import SignedInHere
from apps.portal.page import CustomerPage


class SignedInPage(CustomerPage):
    """A page for somebody who is signed in: `self.here` says who. Everybody else is led to the sign-in page."""

    here: SignedInHere

    def respond(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        found = browser_session.read(request, self.customer, self.context)
        if found is None:
            return self.protect(redirect(self.way_in(request)))
        self.here = found
        return self.to_go_to_first(request) or super().respond(request, **kwargs)

    def way_in(self, request: HttpRequest) -> str:
        """The address of the sign-in."""
        return places.sign_in(self.customer)

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        """Another page that has to come before this one, such as a fresh proof."""
        return None

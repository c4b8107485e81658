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
            return self.protect(request, redirect(places.sign_in(self.customer)))
        self.here = found
        return super().respond(request, **kwargs)

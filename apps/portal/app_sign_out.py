"""An app sends its user here to sign out here, too (OpenID Connect RP-Initiated Logout 1.0): `/api/oauth/logout`."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from apps.core.content_policy import Policy
from apps.core.errors import GatehouseError
from apps.core.requests import context_of
from apps.oauth import redirect_addresses, signing_out
from apps.oauth.authorization_parameters import Parameters
from apps.oauth.signing_out import LogoutRequest
from apps.portal import browser_session, own_origin, places
from apps.portal.browser_session import SignedInHere
from apps.portal.page import CustomerPage

SEE_OTHER = 303
CONFIRMED = "confirmed"


class AppSignOutPage(CustomerPage):
    """With an id token of ours the app has shown whom it means, and the user is signed out at once. Else the user is asked.

    Apps may send a form from their own site; the answer to our question must come from our page.
    """

    http_method_names = ["get", "post"]  # a link checker's HEAD must sign nobody out
    takes_forms_from_anywhere = True
    template = "portal/app_sign_out.html"
    asked: LogoutRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            self.asked = signing_out.parse(_parameters(request), now=timezone.now())
        except GatehouseError as error:
            return self.explain(request, error)
        return super().dispatch(request, slug=places.name_of(self.asked.customer))

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.asked.is_proven:
            signing_out.sign_out(self.asked, context=context_of(request))
            return self._leave(request)
        here = self._here(request)
        return self._leave(request) if here is None else self.show(request, here=here, app=self.asked.client)

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.asked.is_proven:
            return self.get(request)
        if CONFIRMED not in request.POST:  # browsers do not send our cookie with another site's form: ask with a GET
            return self._go(request, f"{request.path}?{request.POST.urlencode()}")
        own_origin.require_own_page(request)
        here = self._here(request)
        if here is not None:
            self._end(here)
        return self._leave(request)

    def allowed(self) -> Policy:
        """Browsers apply `form-action` to the redirect after the form, too."""
        targets = _targets(self.asked.address) if hasattr(self, "asked") else ()
        return {**super().allowed(), "form-action": targets} if targets else super().allowed()

    def _here(self, request: HttpRequest) -> SignedInHere | None:
        return browser_session.read(request, self.customer, self.context)

    def _end(self, here: SignedInHere) -> None:
        signing_out.end_together(
            customer_id=self.customer.id, user_id=here.user.id, session_id=here.session_id, context=self.context
        )

    def _leave(self, request: HttpRequest) -> HttpResponse:
        """Back to the app, or a page that says it is done. Another user who is signed in here stays so."""
        address = self.asked.address
        sign_in = places.sign_in(self.customer)
        response = self._go(request, address) if address else self.show(request, here=None, sign_in=sign_in)
        if self._here(request) is None:
            browser_session.clear(response, self.customer)
        return response

    def _go(self, request: HttpRequest, address: str) -> HttpResponse:
        response = HttpResponse(status=SEE_OTHER)
        response["Location"] = iri_to_uri(address)
        return self.protect(response)


def _parameters(request: HttpRequest) -> Parameters:
    """Of the app's own form; else of the query, which our question keeps."""
    is_form = request.method == "POST" and CONFIRMED not in request.POST
    return dict((request.POST if is_form else request.GET).lists())


def _targets(address: str | None) -> Sequence[str]:
    """Any https address, since the app's own redirect may lead to another of its hosts."""
    if address is None:
        return ()
    return ("https:",) if address.startswith("https://") else (redirect_addresses.form_target(address),)

"""One visit to a page of the sign-in: what the app has asked for, who is signed in here already, and how the visit ends."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.api_keys.clients import ApiClient
from apps.core.content_policy import Policy
from apps.core.errors import GatehouseError
from apps.oauth import authorization
from apps.oauth.authorization import AuthorizationRequest
from apps.oauth.authorization_parameters import SELECT_ACCOUNT
from apps.oauth.errors import AuthorizationRefused
from apps.portal import browser_session, form_targets, places
from apps.portal.browser_session import SignedInHere
from apps.portal.page import CustomerPage
from apps.portal.sign_in import memory
from apps.portal.sign_in.memory import StepMemory
from apps.portal.sign_in.steps import Steps
from apps.users.models import UserStatus
from apps.users.state import UserState

LONGEST_WAIT = 24 * 60 * 60  # seconds; what a page says of the wait is bounded, whatever a form claims
ASKED_BY_AN_APP = {"client_id", "redirect_uri", "response_type"}


class SignInPage(CustomerPage):
    """A step of the sign-in. `self.app`: the request of the app that sent the user here; None if nobody did."""

    app: AuthorizationRequest | None = None
    here: SignedInHere | None = None
    steps: Steps
    memory: StepMemory = StepMemory()

    def respond(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """An app's request that cannot be trusted is a page; one that is refused goes back to the app."""
        try:
            self.steps = Steps.of(request, self.customer)
            self.app = self._asked_for(request)
            self.here = browser_session.read(request, self.customer, self.context)
            self.memory = memory.read(request, self.customer)
            return super().respond(request, **kwargs)
        except AuthorizationRefused as refused:
            return self.send_to(request, refused.address)

    def show(
        self, request: HttpRequest, template: str = "", *, error: GatehouseError | None = None, **facts: Any
    ) -> HttpResponse:
        known = {"app": self.app, "steps": self.steps, "customer": self.customer}
        return super().show(request, template, error=error, **{**known, **facts})

    def go_to_step(self, request: HttpRequest, step: str, remembered: StepMemory) -> HttpResponse:
        """Leads to another page, which can be loaded anew. No form is sent a second time by that."""
        response = self.send_to(request, step)
        memory.put(response, remembered, self.customer)
        return response

    def allowed(self) -> Policy:
        """Browsers apply `form-action` to every redirect after a form, also to those that the app makes after ours."""
        return {**super().allowed(), **(form_targets.of(self.app.redirect_uri) if self.app else {})}

    def client(self) -> ApiClient:
        """Whose page this is, for flows that ask who calls."""
        return ApiClient(self.customer, None, by_page=True)

    def wait_until(self, resend_at: int) -> int:
        """Seconds until another code can be asked for."""
        return max(0, min(resend_at - int(self.context.now.timestamp()), LONGEST_WAIT))

    def must_sign_in(self, *, has_chosen: bool = False) -> bool:
        """Whether this browser's session is not enough. `has_chosen`: its user has said that this is the account."""
        if self.here is None or self.app is None:
            return self.here is None
        app = _without_choice(self.app) if has_chosen else self.app
        return authorization.needs_sign_in(app, self.here.proof, user_id=self.here.user.id, now=self.context.now)

    def leave(self, request: HttpRequest, user: UserState, session_id: UUID, *, is_new: bool = False) -> HttpResponse:
        """Back to the app with a code, or to the account page. A pending user is told what is missing."""
        if user.status == UserStatus.PENDING and (self.app is None or self.app.may_show_pages):
            return self._say_what_is_missing(request, user)
        if self.app is None:
            return self.send_to(request, places.account_page(self.customer, request.GET.get("next", "")))
        try:
            return self.send_to(request, self._granted(self.app, user, session_id, is_new=is_new))
        except AuthorizationRefused as refused:
            return self.send_to(request, refused.address)

    def _granted(self, app: AuthorizationRequest, user: UserState, session_id: UUID, *, is_new: bool) -> str:
        """Raises AuthorizationRefused, also if the app has named another user (OpenID Connect Core 3.1.2.1)."""
        if app.hinted_user is not None and app.hinted_user != user.id:
            raise app.refused("login_required", "another user has signed in")
        return authorization.grant(app, session_id=session_id, context=self.context, is_new=is_new)

    def _say_what_is_missing(self, request: HttpRequest, user: UserState) -> HttpResponse:
        back = self.app.refused("access_denied", "this account is not active").address if self.app else ""
        return self.show(
            request,
            "portal/sign_in/pending.html",
            user=user,
            way_back=back,
            needs_address=self.customer.demands_verified_email and not user.email_verified,
            sign_out=places.sign_out(self.customer),
        )

    def _asked_for(self, request: HttpRequest) -> AuthorizationRequest | None:
        """Raises UnusableRequest or AuthorizationRefused."""
        if not ASKED_BY_AN_APP & request.GET.keys():
            return None
        return authorization.parse(dict(request.GET.lists()), self.customer, now=self.context.now)


def _without_choice(app: AuthorizationRequest) -> AuthorizationRequest:
    return replace(app, given=replace(app.given, prompts=app.given.prompts - {SELECT_ACCOUNT}))

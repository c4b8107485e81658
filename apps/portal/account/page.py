"""What the pages of the account have in common: who is signed in, a fresh proof where it is needed, and one sentence after
each change.

A change is a POST that sends the browser on (303), so a reload repeats nothing.
"""

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.functional import Promise

from apps.core import actors, text_languages
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationError, GatehouseError
from apps.portal import browser_session, places
from apps.portal.account import notices
from apps.portal.signed_in_page import SignedInPage
from apps.tokens import sessions
from apps.tokens.models import Session
from apps.users import directory
from apps.users.models import User

SEE_OTHER = 303


class AccountPage(SignedInPage):
    """A page for the owner of the account.

    `needs_fresh_proof`: what it shows or does asks for a proof of at most a few minutes ago (contract 3.10); without one
    the browser is led to it and back. `begins_at`: where to then, if not to the page itself.
    """

    heading: ClassVar[str | Promise]
    lead: ClassVar[str | Promise] = ""
    back: ClassVar[str] = ""  # the page that this one lies under
    needs_fresh_proof: ClassVar[bool] = False
    begins_at: ClassVar[str | None] = None
    is_top: ClassVar[bool] = False  # no page lies above it

    def respond(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        return super().respond(request)  # what the path names is in `self.kwargs`

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.page()

    def facts(self) -> dict[str, Any]:
        """What the template needs, beyond what all pages have."""
        return {}

    def page(self, *, error: GatehouseError | None = None, **more: Any) -> HttpResponse:
        """The page itself. It says what the one before has left to be said."""
        texts = {"heading": self.heading, "lead": self.lead, "notice": notices.waiting(self.request)}
        ways = {"account": self.place(), "back": self.place(self.back), "sign_out": places.sign_out(self.customer)}
        shown = {**texts, **ways, "here": self.here, "is_top": self.is_top, **self.facts(), **more}
        response = self.show(self.request, error=error, **shown)
        notices.forget(response, self.request)
        return response

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        """In the user's language, if we have it; and with a fresh proof, where one is needed."""
        if text_languages.is_known(self.here.user.locale):
            translation.activate(text_languages.served_by(self.here.user.locale))
        if self.needs_fresh_proof and not self.is_proof_fresh:
            return self._to_proof(request)
        return None

    def way_in(self, request: HttpRequest) -> str:
        """Signing in leads back here."""
        within = self._path_within(request)
        return super().way_in(request) + (f"?{urlencode({'next': within})}" if within else "")

    def explain(self, request: HttpRequest, error: GatehouseError) -> HttpResponse:
        """A session that has ended meanwhile, perhaps by too many wrong proofs, leads to the sign-in page."""
        return self.signed_out() if isinstance(error, AuthenticationError) else super().explain(request, error)

    @cached_property
    def user(self) -> User:
        """The user's row, to change it. Raises NotFound if it was erased a moment ago."""
        return directory.get(self.customer.id, self.here.user.id)

    @property
    def session_id(self) -> UUID:
        return self.here.session_id

    @property
    def own_context(self) -> RequestContext:
        """The request, with the signed-in user as its actor."""
        return self.context.by(actors.user(self.here.user.id))

    @property
    def is_proof_fresh(self) -> bool:
        return self.here.proof.is_fresh(max_age=self.customer.reauthenticate_after, now=self.context.now)

    def living_sessions(self) -> QuerySet[Session]:
        return sessions.alive(customer_id=self.customer.id, user_id=self.here.user.id, now=self.context.now)

    def place(self, page: str = "") -> str:
        """The path of a page of this account."""
        return f"{places.account(self.customer)}/{page}".rstrip("/")

    def go(self, page: str = "", notice: str = "", **query: str) -> HttpResponse:
        """On to another page of the account, which says `notice`."""
        response = self.redirect(self.place(page), query)
        if notice:
            notices.leave(response, notice)
        return response

    def signed_out(self) -> HttpResponse:
        """Nobody is signed in here any more."""
        response = self.redirect(places.sign_in(self.customer))
        browser_session.clear(response, self.customer)
        return response

    def _to_proof(self, request: HttpRequest) -> HttpResponseBase:
        """Lead to a fresh proof, and from there to where this can be begun. What was sent is not done, and not done later:
        a proof says who is there, not what they want.
        """
        begin = self.begins_at if self.begins_at is not None else self._path_within(request)
        was_sent = request.method == "POST"
        return self.go("prove", notices.PROVE_FIRST if was_sent else "", next=begin)

    def _path_within(self, request: HttpRequest) -> str:
        """This page's path below the account's, as `place` takes it: `passkeys/add` of `/account/acme/passkeys/add`."""
        return "/".join(request.path.split("/")[3:])

    def redirect(self, path: str, query: dict[str, str] | None = None) -> HttpResponse:
        place = f"{path}?{urlencode(query)}" if query else path
        return self.protect(HttpResponseRedirect(place, status=SEE_OTHER))

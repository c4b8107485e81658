"""The end of a sign-in: the browser keeps the session, sees what it must see once, and goes on to where it came from."""

from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.core import base64url, ciphers
from apps.portal import browser_session, device_cookie
from apps.portal.sign_in import memory
from apps.portal.sign_in.memory import StepMemory
from apps.portal.sign_in.visit import SignInPage
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.users import state as users

ARRIVAL = "gatehouse.arrival"
ARRIVAL_SECONDS = 10 * 60


class ArrivalPage(SignInPage):
    """A step that can end a sign-in."""

    def device_tokens(self, request: HttpRequest) -> tuple[str, ...]:
        """Of devices remembered in this browser. None for an app that wants a proof of now (`max_age`): they are of days ago."""
        wants_proof = self.app is not None and self.app.given.max_age is not None
        return () if wants_proof else device_cookie.tokens(request, self.customer)

    def after(
        self, request: HttpRequest, ended: SignedIn | Challenged, *, recovery_codes: tuple[str, ...] = ()
    ) -> HttpResponse:
        """What follows a right factor: the next one, or the end."""
        if isinstance(ended, SignedIn):
            return self._arrive(request, ended, recovery_codes)
        asked = StepMemory(session_token=ended.session_token)
        if not recovery_codes:
            return self.go_to_step(request, self.steps.second_factor, asked)
        hidden = {"session_token": ended.session_token}
        response = self._show_codes(request, recovery_codes, self.steps.second_factor, hidden)
        memory.put(response, asked, self.customer)
        return response

    def _arrive(self, request: HttpRequest, ended: SignedIn, recovery_codes: tuple[str, ...]) -> HttpResponse:
        """The session that was here before makes way. Cookies come with whatever is answered."""
        if self.here is not None:
            browser_session.end(self.here, self.customer, self.context)
        response = self._next(request, ended, recovery_codes)
        browser_session.put(response, ended.pair, self.customer)
        memory.clear(response, self.customer)
        if ended.device_token:
            device_cookie.put(response, ended.device_token, user_id=ended.user.id, customer=self.customer)
        return response

    def _next(self, request: HttpRequest, ended: SignedIn, recovery_codes: tuple[str, ...]) -> HttpResponse:
        session_id = ended.pair.session_id
        if recovery_codes:
            hidden = {"arrival": arrival(request, str(session_id))}
            return self._show_codes(request, recovery_codes, self.steps.go_on, hidden)
        return self.leave(request, users.of(ended.user), session_id, is_new=ended.is_new)

    def _show_codes(
        self, request: HttpRequest, codes: tuple[str, ...], action: str, hidden: dict[str, str]
    ) -> HttpResponse:
        return self.show(request, "portal/sign_in/recovery_codes.html", codes=codes, action=action, hidden=hidden)


class ContinuePage(SignInPage):
    """Goes on with the session that is here: after recovery codes were shown, or an account was chosen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.send_to(request, self.steps.start)

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.here is None:
            return self.send_to(request, self.steps.start)
        offered = request.POST.get("arrival", "")
        if not is_arrival(request, offered, str(self.here.session_id)) and self.must_sign_in(has_chosen=True):
            return self.send_to(request, self.steps.start)
        return self.leave(request, self.here.user, self.here.session_id)


def arrival(request: HttpRequest, session_id: str) -> str:
    """Says that this session was begun for this very request of an app, so that `prompt=login` does not ask again."""
    return signing.dumps([session_id, _mark(request)], salt=ARRIVAL)


def is_arrival(request: HttpRequest, text: str, session_id: str) -> bool:
    try:
        return bool(signing.loads(text, salt=ARRIVAL, max_age=ARRIVAL_SECONDS) == [session_id, _mark(request)])
    except signing.BadSignature:
        return False


def _mark(request: HttpRequest) -> str:
    """Of the app's request. The session belongs to one customer, so its name need not be in it."""
    return base64url.encode(ciphers.digest(request.GET.urlencode().encode()))

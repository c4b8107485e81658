"""Whether a proxy may let a request in, and what the app behind it is told. The view and the shortcut both ask here."""

from typing import NamedTuple, cast

from django.http import HttpRequest
from django.utils import timezone

from apps.api.authentication import cookies, token_check
from apps.api.authentication.api_key import IN_ENVIRONMENT
from apps.api.authentication.principal import Principal
from apps.api.forward_auth import demands, remembered_verdicts
from apps.api.forward_auth.original_request import Environ, OriginalRequest
from apps.api.forward_auth.remembered_verdicts import Place
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationRequired, PermissionDenied
from apps.core.requests import address_of, context_of
from apps.core.state.process import present
from apps.tokens import role_escalation, sessions
from apps.tokens.errors import InvalidToken, MalformedToken
from apps.users.models import BuiltInRole

PATH, PREFIX = "/verify", "/verify/"
NO_CONTENT, OK = 204, 200

HeaderLines = list[tuple[str, str]]


class Inquiry(NamedTuple):
    """What a proxy asks, by its address.

    `/verify?customer=acme`: nginx, Traefik. `/verify/customer=acme/…`: Envoy writes the path and the query of the client
    behind a prefix of ours, by the client's own method. What stands there is the client's, and is not looked at.
    """

    demands: str
    by_prefix: bool

    @property
    def success(self) -> int:
        """Envoy takes nothing but 200 for a yes."""
        return OK if self.by_prefix else NO_CONTENT


def inquiry_of(environ: Environ) -> Inquiry | None:
    """None if the address is none of ours."""
    path: str = environ.get("PATH_INFO", "")
    if path == PATH:
        return Inquiry(environ.get("QUERY_STRING", ""), by_prefix=False)
    text, slash, _of_the_client = path.removeprefix(PREFIX).partition("/")
    return Inquiry(text, by_prefix=True) if slash and path.startswith(PREFIX) else None


def headers_of(environ: Environ, inquiry: Inquiry) -> HeaderLines:
    """The headers that tell the app who is let in. Raises what becomes the answer to whoever is not.

    Beside the checks of every call with a token: the demands, and where the token is in a cookie, that no other site's
    page asks, whatever the method. A WebSocket begins with a GET.
    """
    request = cast("HttpRequest", OriginalRequest(environ, own_method_is_original=inquiry.by_prefix))
    place = _place(environ, inquiry, request)
    if place is None:
        return _decided(request, inquiry, context_of(request))[1]
    now = timezone.now()
    known = remembered_verdicts.find(place, now)
    if known is not None:
        who = known.who
        sessions.note_activity(customer_id=who.customer.id, session=who.session, now=now)
        return known.told
    generation = present().memory.generation
    who, told = _decided(request, inquiry, context_of(request))
    max_age = demands.parse(inquiry.demands).max_age
    remembered_verdicts.keep(place, who, told, max_age=max_age, now=now, generation=generation)
    return told


def _place(environ: Environ, inquiry: Inquiry, request: HttpRequest) -> Place | None:
    """None where more decides than token, demands and address: a cookie's proof, a key that comes along."""
    authorization = environ.get("HTTP_AUTHORIZATION")
    if not authorization or IN_ENVIRONMENT in environ:
        return None
    return remembered_verdicts.place_of(authorization, inquiry.demands, address_of(request))


def _decided(request: HttpRequest, inquiry: Inquiry, context: RequestContext) -> tuple[Principal, HeaderLines]:
    wanted = demands.parse(inquiry.demands)
    who = _signed_in(request, context)
    try:
        wanted.require(who, context.now)
    except PermissionDenied:
        if wanted.role == BuiltInRole.ADMIN != who.user.role:
            role_escalation.report(who.user, wanted=BuiltInRole.ADMIN, context=context)
        raise
    return who, _told(who)


def _signed_in(request: HttpRequest, context: RequestContext) -> Principal:
    """Raises as `token_check` does, but no 400: proxies take that for a fault of their own. RFC 6750 too has a 401 here."""
    try:
        found = token_check.check(request, context)
    except MalformedToken as error:
        raise InvalidToken from error
    if found is None:
        raise AuthenticationRequired
    who, _envelope = found
    if "HTTP_AUTHORIZATION" not in request.META:
        cookies.refuse_other_origins(request, who.customer)
    return who


def _told(who: Principal) -> HeaderLines:
    """All four, always: a proxy puts them in the place of what the client may have sent under these names.

    Names of roles and permissions are ASCII and without spaces, as the models check.
    """
    user = who.user
    return [
        ("X-Gatehouse-User", str(user.id)),
        ("X-Gatehouse-Customer", str(who.customer.id)),
        ("X-Gatehouse-Role", user.role if user.is_active else ""),
        ("X-Gatehouse-Permissions", " ".join(user.permissions)),
    ]

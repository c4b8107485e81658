"""Whether a proxy may let a request in, and what the app behind it is told. The view and the shortcut both ask here."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from apps.api.authentication import cookies, token_check
from apps.api.authentication.principal import Principal
from apps.api.early_request import Environ, HeaderLines
from apps.api.forward_auth.demands import Demands
from apps.api.forward_auth.original_request import OriginalRequest
from apps.core.context import RequestContext
from apps.core.errors import AuthenticationRequired, PermissionDenied
from apps.core.requests import context_of
from apps.tokens import refused_rights, role_escalation
from apps.tokens.errors import InvalidToken, MalformedToken
from apps.users.models import BuiltInRole

PATH, PREFIX = "/verify", "/verify/"
NO_CONTENT, OK = 204, 200


@dataclass(slots=True)  # a NamedTuple takes three times as long to make
class Inquiry:
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

    def original_request(self, environ: Environ) -> OriginalRequest:
        return OriginalRequest(environ, own_method_is_original=self.by_prefix)


def inquiry_of(environ: Environ) -> Inquiry | None:
    """None if the address is none of ours."""
    path: str = environ.get("PATH_INFO", "")
    if path == PATH:
        return Inquiry(environ.get("QUERY_STRING", ""), by_prefix=False)
    text, slash, _of_the_client = path.removeprefix(PREFIX).partition("/")
    return Inquiry(text, by_prefix=True) if slash and path.startswith(PREFIX) else None


def let_in(request: OriginalRequest, wanted: Demands) -> Principal:
    """Whom the proxy may let in. Raises what becomes the answer to all others: the errors of a token, and of `Demands.require`.

    Beside the checks of every call with a token: the demands, and where the token is in a cookie, that no other site's
    page asks, whatever the method. A WebSocket begins with a GET.
    """
    context = context_of(request)
    who = _signed_in(request, context)
    try:
        wanted.require(who, context.now)
    except PermissionDenied:
        if wanted.role == BuiltInRole.ADMIN != who.user.role:
            role_escalation.report(who.user, wanted=BuiltInRole.ADMIN, context=context)
        else:
            refused_rights.record(who.user, context)
        raise
    return who


def _signed_in(request: OriginalRequest, context: RequestContext) -> Principal:
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


def told_of(who: Principal) -> HeaderLines:
    """What the app is told. All four, always: a proxy puts them in the place of what the client may have sent under these names.

    Names of roles and permissions are ASCII and without spaces, as the models check.
    """
    user = who.user
    role = user.role if user.is_active else ""
    return [("X-Gatehouse-User", str(user.id)), *_told_of_all(who.customer.id, role, user.permissions)]


@lru_cache(maxsize=1024)
def _told_of_all(customer_id: UUID, role: str, permissions: tuple[str, ...]) -> HeaderLines:
    """What many users have in common is kept once: half of what a remembered yes takes."""
    return [
        ("X-Gatehouse-Customer", str(customer_id)),
        ("X-Gatehouse-Role", role),
        ("X-Gatehouse-Permissions", " ".join(permissions)),
    ]

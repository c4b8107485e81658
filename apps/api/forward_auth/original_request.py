"""The request that a client has sent to a proxy, as the proxy passes it on to us: what the checks of a token need of it."""

from functools import cached_property

from apps.api.authentication.cookies import SAFE_METHODS
from apps.api.early_request import EarlyRequest, Environ
from apps.core.requests import comes_from_proxy

# How proxies say the client's method where they ask by a GET of their own: Traefik and Caddy, nginx as our example has it.
SAID_METHODS = ("HTTP_X_FORWARDED_METHOD", "HTTP_X_ORIGINAL_METHOD")
UNKNOWN = ""  # no safe method


class OriginalRequest(EarlyRequest):
    """`own_method_is_original`: whether the proxy asks by the method of the client."""

    def __init__(self, environ: Environ, *, own_method_is_original: bool) -> None:
        self.META = environ
        self._own_method_is_original = own_method_is_original

    @cached_property
    def method(self) -> str:  # type: ignore[override]
        """The client's. A proxy that we do not trust, or that does not say it, may have asked about any method: UNKNOWN.

        Whatever names an unsafe one is believed: nobody gains by that.
        """
        own = str(self.META["REQUEST_METHOD"])
        said = self._said_methods()
        unsafe = [method for method in (own, *said) if method not in SAFE_METHODS]
        if unsafe:
            return unsafe[0]
        known = self._own_method_is_original or (said and comes_from_proxy(self))
        return own if known else UNKNOWN

    def _said_methods(self) -> list[str]:
        return [str(self.META[name]) for name in SAID_METHODS if self.META.get(name)]

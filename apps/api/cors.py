"""CORS: which pages may read an answer (contract 3.8). Only pages that the request's customer allows.

A preflight comes without key and token, and so names no customer: it passes for any customer's origin. It gives nothing
away; the answer itself can be read only by the customer's own pages. An answer that is about no customer (a token that
cannot be verified, the service's public keys) can be read by any customer's pages, so that apps can tell what is wrong.
"""

import math
import re
import time
from collections.abc import Collection
from typing import Any, cast

from corsheaders.middleware import ACCESS_CONTROL_ALLOW_CREDENTIALS as CREDENTIALS
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.requests import facts_of
from apps.core.response_headers import vary_on
from apps.customers import allowed_origins
from apps.customers.models import Customer, CustomerStatus
from apps.customers.state import CustomerState
from apps.oauth import clients
from apps.oauth.models import RegisteredClient

ORIGIN = "HTTP_ORIGIN"
ADDRESSES = re.compile(settings.CORS_URLS_REGEX)
# How old may be what is known of all customers, for a yes and for a no: who has just allowed an origin tries it at once.
YES_SECONDS, NO_SECONDS = 10.0, 1.0


class _Memory:
    """The origins of all customers, as of a moment ago."""

    origins: frozenset[str] = frozenset()
    read_at = -math.inf

    @classmethod
    def forget(cls) -> None:
        cls.read_at = -math.inf


class CustomersCorsMiddleware(CorsMiddleware):
    """django-cors-headers, but an origin that only a wildcard admits sends no cookies and reads no answer to them.

    Cookie mode is for listed pages (`customers.allowed_origins`): whoever can put a page under the wildcard has not listed it.
    A request without an origin passes by: the library would ask all the same whether it is allowed (30 µs).
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if ORIGIN in request.META:
            return cast("HttpResponseBase", super().__call__(request))
        response = cast("HttpResponseBase", self.get_response(request))
        if may_be_read(request):
            vary_on(response, "origin")  # or a cache would answer a page by what it kept of this request
        return response

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        answer: HttpResponseBase = super().add_response_headers(request, response)
        if CREDENTIALS in answer.headers and request.META[ORIGIN] not in _origins_of(request):
            del answer.headers[CREDENTIALS]
        return answer


def may_be_read(request: HttpRequest) -> bool:
    """Whether the address is one whose answers pages of other origins may read."""
    return bool(ADDRESSES.match(request.path_info))


def limit_to_pages_of(customer: CustomerState, request: HttpRequest, and_of: RegisteredClient | None = None) -> None:
    """It is known now whose request it is: only this customer's pages may read the answer.

    `and_of`: at the endpoints of OAuth, the pages to which this client's users return may, too.
    """
    of_client = clients.page_origins(and_of.redirect_uris) if and_of else ()
    facts_of(request).allowed_origins = (*customer.allowed_origins, *of_client)


def may_read(request: HttpRequest, **_: Any) -> bool:
    """The receiver of django-cors-headers' `check_request_enabled`: before the view for a preflight, and after it."""
    origin = request.META.get(ORIGIN)
    if origin is None or not may_be_read(request):
        return False  # no query for a probe: /healthz answers without a database
    return any(allowed_origins.admits(_origins_of(request, age), origin) for age in (YES_SECONDS, NO_SECONDS))


def _origins_of(request: HttpRequest, oldest: float = YES_SECONDS) -> Collection[str]:
    known = facts_of(request).allowed_origins
    return _all(oldest) if known is None else known


def _all(oldest: float) -> frozenset[str]:
    now = time.monotonic()
    if now - _Memory.read_at > oldest:
        lists = Customer.objects.filter(status=CustomerStatus.ACTIVE).values_list("allowed_origins", flat=True)
        _Memory.origins = frozenset(origin for listed in lists for origin in listed) | clients.every_page_origin()
        _Memory.read_at = now
    return _Memory.origins

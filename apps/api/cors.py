"""CORS: which pages may read an answer (contract 3.8). Only pages that the request's customer allows.

A preflight comes without key and token, and so names no customer: it passes for any customer's origin. It gives nothing
away; the answer itself can be read only by the customer's own pages. An answer that is about no customer (a token that
cannot be verified, the service's public keys) can be read by any customer's pages, so that apps can tell what is wrong.
"""

import re
import time
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.core.requests import facts_of
from apps.customers import allowed_origins
from apps.customers.models import Customer, CustomerStatus
from apps.customers.state import CustomerState

REMEMBERED_SECONDS = 10.0


class _Memory:
    """The origins of all customers, as of a moment ago."""

    origins: frozenset[str] = frozenset()
    until = 0.0


def limit_to_pages_of(customer: CustomerState, request: HttpRequest) -> None:
    """It is known now whose request it is: only this customer's pages may read the answer."""
    facts_of(request).allowed_origins = customer.allowed_origins


def may_read(request: HttpRequest, **_: Any) -> bool:
    """The receiver of django-cors-headers' `check_request_enabled`: before the view for a preflight, and after it."""
    origin = request.headers.get("Origin")
    if origin is None or not re.match(settings.CORS_URLS_REGEX, request.path_info):
        return False  # no query for a probe: /healthz answers without a database
    return allowed_origins.admits(_origins_of(request), origin)


def _origins_of(request: HttpRequest) -> Collection[str]:
    known = facts_of(request).allowed_origins
    return _all() if known is None else known


def _all() -> frozenset[str]:
    if time.monotonic() > _Memory.until:
        lists = Customer.objects.filter(status=CustomerStatus.ACTIVE).values_list("allowed_origins", flat=True)
        _Memory.origins = frozenset(origin for listed in lists for origin in listed)
        _Memory.until = time.monotonic() + REMEMBERED_SECONDS
    return _Memory.origins

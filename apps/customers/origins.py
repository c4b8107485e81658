"""Which browser origins may call: those that a customer lists (contract 3.8), asked for by django-cors-headers."""

import time
from typing import Any

from django.http import HttpRequest

from apps.customers.models import Customer, CustomerStatus

REMEMBERED_SECONDS = 10.0


class _Memory:
    """All listed origins, as of a moment ago. A preflight names no customer, so it may pass by anybody's list."""

    origins: frozenset[str] = frozenset()
    until = 0.0


def is_listed(request: HttpRequest, **_: Any) -> bool:
    """The receiver of django-cors-headers' `check_request_enabled`, which asks for every request, browser or not."""
    origin = request.headers.get("Origin")
    return origin is not None and origin in _all()  # no query for a probe: /healthz answers without a database


def _all() -> frozenset[str]:
    if time.monotonic() > _Memory.until:
        lists = Customer.objects.filter(status=CustomerStatus.ACTIVE).values_list("allowed_origins", flat=True)
        _Memory.origins = frozenset(origin for listed in lists for origin in listed)
        _Memory.until = time.monotonic() + REMEMBERED_SECONDS
    return _Memory.origins

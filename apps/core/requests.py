"""What the edges read from a request: its context for the flows, the client's address, the request id, the path as it was sent."""

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone

from apps.core import client_address, names
from apps.core.context import RequestContext

ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
LONGEST_USER_AGENT = 512
FACTS = "gatehouse.facts"  # no header can claim this name: in the environment headers begin with HTTP_
# Letters, digits and -._~ (RFC 3986 section 2.3), percent-encoded.
ENCODED_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


@dataclass(slots=True)
class RequestFacts:
    """What is found out about a request on its way, for those who handle it later.

    `sandbox_key_id`: by the authentication that succeeded. `request_mark`: by the parser that opened the body.
    `allowed_origins`: of the customer whose request it is; None while that is unknown.
    """

    request_id: str = ""
    sandbox_key_id: str = ""
    request_mark: bytes | None = field(default=None, repr=False)
    allowed_origins: Collection[str] | None = None


def facts_of(request: HttpRequest) -> RequestFacts:
    """Kept in the request's environment, which DRF's request shares with the one of Django's that it wraps."""
    facts: RequestFacts = request.META.setdefault(FACTS, RequestFacts())
    return facts


def context_of(request: HttpRequest) -> RequestContext:
    """This request for the flows, with nobody as its actor yet."""
    facts = facts_of(request)
    return RequestContext(
        now=timezone.now(),
        ip=address_of(request),
        user_agent=names.cleaned(request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT]),
        request_id=request_id_of(request),
        sandbox_key_id=facts.sandbox_key_id,
        accept_language=request.headers.get("Accept-Language", ""),
        request_mark=facts.request_mark,
    )


def context_for_others(request: HttpRequest) -> RequestContext:
    """The same for a request about somebody else: its language is not theirs."""
    return replace(context_of(request), accept_language="")


def address_of(request: HttpRequest) -> str | None:
    """The client's address as text (contract 1.6)."""
    address = client_address.address_of(
        peer=request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
        trusted=trusted_proxies(),
    )
    return str(address) if address else None


def trusted_proxies() -> tuple[client_address.Network, ...]:
    """The networks of TRUSTED_PROXIES. Raises ImproperlyConfigured if one is no network."""
    return _networks(tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=4)
def _networks(texts: tuple[str, ...]) -> tuple[client_address.Network, ...]:
    try:
        return client_address.parse_networks(texts)
    except ValueError as error:
        raise ImproperlyConfigured(f"TRUSTED_PROXIES must list networks such as 10.0.0.0/8: {error}.") from error


def request_id_of(request: HttpRequest) -> str:
    """The request's id: the caller's own `X-Request-ID` when it is harmless, else a fresh one; the same at every call."""
    facts = facts_of(request)
    if not facts.request_id:
        offered = request.headers.get("X-Request-ID", "")
        facts.request_id = offered if ACCEPTED_REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
    return facts.request_id


def path_as_sent(request: HttpRequest) -> str:
    """The path as the client sent it, without the query, in the form of `unreserved_decoded`.

    Servers keep it as RAW_URI or REQUEST_URI; where neither is known, the decoded path is quoted again.
    """
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    sent = str(raw) if raw.startswith("/") else request.get_full_path()
    return unreserved_decoded(sent.partition("?")[0])


def unreserved_decoded(path: str) -> str:
    """The path with percent-encoded unreserved characters as themselves, and every other as it was sent (contract 2.2.2).

    Encoding them or not makes no difference (RFC 3986 section 6.2.2.2), and what stands on the way may do either.
    """
    return ENCODED_UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path)

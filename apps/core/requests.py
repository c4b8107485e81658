"""What the edges read from a request: its context for the flows, the client's address, the request id, the path as it was sent.

Each is found out once, and kept with the request. Headers are read from the environment: for `request.headers` Django copies all
of them (11 µs).
"""

import random
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from apps.core import client_address, names
from apps.core.context import RequestContext
from apps.core.fixed_settings import made_once
from apps.core.short_texts import remembers_short_texts

ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
LONGEST_USER_AGENT = 512
FACTS = "gatehouse.facts"  # no header can claim this name: in the environment headers begin with HTTP_
# Letters, digits and -._~ (RFC 3986 section 2.3), percent-encoded.
ENCODED_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


@dataclass(slots=True)
class RequestFacts:
    """What is found out about a request on its way, for those who handle it later.

    `address`: of the client; None while nobody has asked, empty where the server knows no peer. `sandbox_key_id`: by the
    authentication that succeeded; so is `key_id`, the API key's. `request_mark`: by the parser that opened the body.
    `allowed_origins`: of the customer whose request it is; None while that is unknown.
    """

    request_id: str = ""
    address: str | None = None
    sandbox_key_id: str = ""
    key_id: str = ""
    request_mark: bytes | None = field(default=None, repr=False)
    allowed_origins: Collection[str] | None = None


def facts_of(request: HttpRequest) -> RequestFacts:
    """Kept in the request's environment, which DRF's request shares with the one of Django's that it wraps."""
    facts: RequestFacts | None = request.META.get(FACTS)
    if facts is None:
        facts = request.META[FACTS] = RequestFacts()
    return facts


def context_of(request: HttpRequest) -> RequestContext:
    """This request for the flows, with nobody as its actor yet."""
    facts, headers = facts_of(request), request.META
    return RequestContext(
        now=timezone.now(),
        ip=address_of(request),
        user_agent=_cleaned(headers.get("HTTP_USER_AGENT", "")[:LONGEST_USER_AGENT]),
        request_id=request_id_of(request),
        sandbox_key_id=facts.sandbox_key_id,
        key_id=facts.key_id,
        accept_language=headers.get("HTTP_ACCEPT_LANGUAGE", ""),
        request_mark=facts.request_mark,
    )


_cleaned = remembers_short_texts(longest=LONGEST_USER_AGENT, entries=512)(names.cleaned)


def context_for_others(request: HttpRequest) -> RequestContext:
    """The same for a request about somebody else: its language is not theirs."""
    return replace(context_of(request), accept_language="")


def address_of(request: HttpRequest) -> str | None:
    """The client's address as text (contract 1.6)."""
    facts = facts_of(request)
    if facts.address is None:
        facts.address = address_in(request.META)
    return facts.address or None


def address_in(environ: Mapping[str, Any]) -> str:
    """The same of a request that is nothing but its environment (PEP 3333). Empty where the server knows no peer."""
    return _address(environ.get("HTTP_X_FORWARDED_FOR", ""), environ.get("REMOTE_ADDR", ""), _proxies())


@made_once
def _proxies() -> tuple[str, ...]:
    return tuple(settings.TRUSTED_PROXIES)


@remembers_short_texts(longest=200)
def _address(forwarded_for: str, peer: str, proxies: tuple[str, ...]) -> str:
    """Empty where the server knows no peer."""
    return str(client_address.address_of(peer=peer, forwarded_for=forwarded_for, trusted=_networks(proxies)) or "")


def comes_from_proxy(request: HttpRequest) -> bool:
    """Whether a proxy of TRUSTED_PROXIES has sent the request on."""
    return _is_proxy(request.META.get("REMOTE_ADDR", ""), _proxies())


@remembers_short_texts(longest=64)
def _is_proxy(peer: str, proxies: tuple[str, ...]) -> bool:
    address = client_address.parse(peer)
    return address is not None and client_address.contains(_networks(proxies), address)


def peer_of(request: HttpRequest) -> client_address.Address | None:
    """Who has opened the connection: the client, or the last proxy before us. None where the server knows none."""
    return client_address.parse(request.META.get("REMOTE_ADDR", ""))


def require_known_proxies() -> None:
    """Raises ImproperlyConfigured unless TRUSTED_PROXIES lists networks."""
    _networks(_proxies())


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
        facts.request_id = _accepted_or_fresh_id(request.META)
    return facts.request_id


def request_id_in(environ: Mapping[str, Any]) -> str:
    """The same of a request that is nothing but its environment; where nobody has asked yet, a fresh one at every call."""
    facts: RequestFacts | None = environ.get(FACTS)
    return (facts.request_id if facts else "") or _accepted_or_fresh_id(environ)


def _accepted_or_fresh_id(environ: Mapping[str, Any]) -> str:
    offered: str = environ.get("HTTP_X_REQUEST_ID", "")
    return offered if offered and ACCEPTED_REQUEST_ID.fullmatch(offered) else _fresh_id()


def _fresh_id() -> str:
    """A name, and no secret. `secrets` asks the kernel, and gives up the interpreter's lock for it: other threads go on meanwhile.

    It begins with the time in milliseconds, as UUIDv7 does. Events are found by it, and PostgreSQL's index of random names would
    have to change another page with each event: of a large table 7 KB more in the write-ahead log for each call.
    """
    return f"{time.time_ns() // 1_000_000:012x}{random.getrandbits(80):020x}"


def path_as_sent(request: HttpRequest) -> str:
    """The path as the client sent it, without the query, in the form of `unreserved_decoded`.

    Servers keep it as RAW_URI or REQUEST_URI; where neither is known, the decoded path is quoted again.
    """
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    return unreserved_decoded(raw.partition("?")[0] if raw.startswith("/") else _quoted(request.path))


@remembers_short_texts(longest=256)
def _quoted(path: str) -> str:
    return escape_uri_path(path)


def unreserved_decoded(path: str) -> str:
    """The path with percent-encoded unreserved characters as themselves, and every other as it was sent (contract 2.2.2).

    Encoding them or not makes no difference (RFC 3986 section 6.2.2.2), and what stands on the way may do either.
    """
    return ENCODED_UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path) if "%" in path else path

"""Read request bodies: JSON in the envelope of the view, and forms. DRF authenticates first, so customer and token are known."""

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from django.utils import timezone
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from apps.api.authentication.api_key import client_of
from apps.api.envelope import Envelope
from apps.api_keys.clients import ApiClient
from apps.core.errors import AuthenticationRequired, MalformedRequest, PayloadTooLarge
from apps.core.requests import facts_of, path_as_sent
from apps.payloads import service_envelope
from apps.payloads.errors import EncryptionRequired
from apps.payloads.strict_json import NotStrictJson, parse_object
from apps.payloads.token_envelope import TokenEnvelope

MOST_FORM_FIELDS = 20


class EnvelopeParser(BaseParser):
    """The parser of every view. `view.envelope` says which envelope it opens; TOKEN if the view says nothing."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        context = parser_context or {}
        request, view = context["request"], context["view"]
        envelope = getattr(view, "envelope", Envelope.TOKEN)
        body = _read(stream)
        if not body:
            return _nothing(envelope)
        _require_whole(body, request)
        if envelope is Envelope.PLAIN:
            return _parse(body, envelope)
        if envelope is Envelope.SERVICE:
            return opened_before_sign_in(body, request, client_of(request))
        return _open_token(_jwe_in(_parse(body, envelope)), request)


class StrictFormParser(BaseParser):
    """Form bodies, for endpoints that OAuth's libraries call (RFC 6749 appendix B): UTF-8, bounded, no parameter twice.

    DRF's own parser reads bodies of any size, in any encoding that the client names.
    """

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        body = _read(stream)
        _require_whole(body, (parser_context or {})["request"])
        pairs = _pairs(body)
        fields = dict(pairs)
        if len(fields) != len(pairs):  # RFC 6749 section 3.2
            raise MalformedRequest
        return fields


def _read(stream: IO[Any]) -> bytes:
    """At most MAX_BODY_BYTES, whatever Content-Length says."""
    try:
        body: bytes = stream.read(settings.MAX_BODY_BYTES + 1)
    except UnreadablePostError as error:  # the client went away half-way
        raise MalformedRequest from error
    if len(body) > settings.MAX_BODY_BYTES:
        raise PayloadTooLarge
    return body


def _require_whole(body: bytes, request: Request) -> None:
    """Half a request must not be taken for a whole one (RFC 9112 section 8): the client has gone. Raises MalformedRequest."""
    if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):  # no number: DRF asks no parser
        raise MalformedRequest


def _nothing(envelope: Envelope) -> dict[str, Any]:
    """An empty body has nothing to hide. But before sign-in it would lack what makes a request fresh, and good once only."""
    if envelope is Envelope.SERVICE:
        raise EncryptionRequired
    return {}


def _parse(body: bytes, envelope: Envelope) -> dict[str, Any]:
    try:
        return parse_object(body)
    except NotStrictJson as error:
        raise MalformedRequest if envelope is Envelope.PLAIN else EncryptionRequired from error


def _jwe_in(document: dict[str, Any]) -> str:
    if document.get("encrypted") is not True or not isinstance(document.get("data"), str):
        raise EncryptionRequired
    return str(document["data"])


def opened_before_sign_in(body: bytes, request: HttpRequest, client: ApiClient) -> dict[str, Any]:
    """The fields in the service's envelope, which is used up. Raises EncryptionRequired, and what `open_request` raises."""
    opened = service_envelope.open_request(
        _jwe_in(_parse(body, Envelope.SERVICE)),
        path=path_as_sent(request),
        customer_id=client.customer.id,
        now=timezone.now(),
    )
    facts_of(request).request_mark = opened.mark
    return opened.fields


def _open_token(text: str, request: Request) -> dict[str, Any]:
    envelope = request.auth
    if not isinstance(envelope, TokenEnvelope):
        raise AuthenticationRequired
    return envelope.open_request(text, method=str(request.method), path=path_as_sent(request))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FORM_FIELDS)
    except ValueError as error:
        raise MalformedRequest from error

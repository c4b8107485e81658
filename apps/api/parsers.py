"""Opens request bodies, by the envelope of the view. DRF authenticates before it parses, so customer and token are known."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import UnreadablePostError
from django.utils import timezone
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from apps.api.envelope import Envelope
from apps.core.errors import AuthenticationRequired, MalformedRequest, PayloadTooLarge
from apps.core.requests import path_as_sent
from apps.payloads import service_envelope
from apps.payloads.errors import EncryptionRequired
from apps.payloads.strict_json import NotStrictJson, parse_object
from apps.payloads.token_envelope import TokenEnvelope


class EnvelopeParser(BaseParser):
    """The parser of every view; `view.envelope` says which envelope, TOKEN without a word."""

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
        document = _parse(body, envelope)
        if envelope is Envelope.PLAIN:
            return document
        text = _jwe_in(document)
        if envelope is Envelope.SERVICE:
            return _open_service(text, request)
        return _open_token(text, request)


def _read(stream: IO[Any]) -> bytes:
    """At most MAX_BODY_BYTES, whatever Content-Length says."""
    try:
        body: bytes = stream.read(settings.MAX_BODY_BYTES + 1)
    except UnreadablePostError as error:  # the client went away half-way
        raise MalformedRequest from error
    if len(body) > settings.MAX_BODY_BYTES:
        raise PayloadTooLarge
    return body


def _nothing(envelope: Envelope) -> dict[str, Any]:
    """An empty body is nothing to hide, but before sign-in it would lack what makes a request fresh and used once."""
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


def _open_service(text: str, request: Request) -> dict[str, Any]:
    opened = service_envelope.open_request(
        text,
        path=path_as_sent(request),
        customer_id=request.customer.id,  # type: ignore[attr-defined]  # put there by ApiKeyAuthentication
        now=timezone.now(),
    )
    request.request_mark = opened.mark  # type: ignore[attr-defined]  # for `context_of`
    return opened.fields


def _open_token(text: str, request: Request) -> dict[str, Any]:
    envelope = request.auth
    if not isinstance(envelope, TokenEnvelope):
        raise AuthenticationRequired
    return envelope.open_request(text, method=str(request.method), path=path_as_sent(request))

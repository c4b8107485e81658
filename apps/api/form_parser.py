"""Form bodies, for endpoints that OAuth's libraries call (RFC 6749 appendix B): UTF-8, bounded, no parameter twice."""

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.parsers import BaseParser

from apps.core.errors import MalformedRequest, PayloadTooLarge

MOST_FIELDS = 20


class StrictFormParser(BaseParser):
    """DRF's own reads bodies of any size, in any encoding that the caller names."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        body: bytes = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise PayloadTooLarge
        pairs = _pairs(body)
        fields = dict(pairs)
        if len(fields) != len(pairs):  # RFC 6749 section 3.2
            raise MalformedRequest
        return fields


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise MalformedRequest from error

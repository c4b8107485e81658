"""Endpoints that OAuth's client libraries call: forms, and errors in the form of RFC 6749 section 5.2."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from apps.api import oauth_errors
from apps.api.base_views import PublicView
from apps.api.envelope import Envelope
from apps.api.parsers import StrictFormParser
from apps.api.serializers import StrictSerializer

FORM = "application/x-www-form-urlencoded"
LONGEST = 8192


class Parameter(serializers.CharField):
    """A parameter as it is. Without a value it counts as left out (RFC 6749 section 3.2)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"required": False, "allow_blank": True, "trim_whitespace": False, "max_length": LONGEST, **options}
        )


class ClientSerializer(StrictSerializer):
    """How the client authenticates, unless it does so by HTTP Basic."""

    client_id = Parameter()
    client_secret = Parameter()


class OAuthFormView(PublicView):
    """The client authenticates itself; an API key is neither needed nor looked at."""

    parser_classes = (StrictFormParser,)
    renderer_classes = (JSONRenderer,)
    envelope = Envelope.FORM

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return oauth_errors.answer

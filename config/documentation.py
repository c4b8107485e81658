"""The schema and its page: public, served from our own files, with their own content security policy."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.views import APIView

from apps.core import content_policy

View = Callable[..., HttpResponseBase]


class DocumentationPolicy:
    """How the documentation's views answer: without authentication, as JSON or a page, with the policy that Swagger UI needs."""

    PAGE = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }

    @staticmethod
    def schema(view: type[APIView]) -> View:
        return view.as_view(renderer_classes=[JSONRenderer])

    @classmethod
    def page(cls, view: type[Any], *, schema: str) -> View:
        policy = content_policy.text(instead=cls.PAGE)
        return content_policy.bearing(policy)(view.as_view(url_name=schema, renderer_classes=[TemplateHTMLRenderer]))

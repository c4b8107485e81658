"""The schema, and the page for those who write a client: public, without a word about any customer, served from our own files."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import JSONRenderer

from apps.api.schema import listing
from apps.core import content_policy

# The page's script calls the API of its own origin, and nothing else.
POLICY = content_policy.text(
    {"script-src": ["'self'"], "style-src": ["'self'"], "img-src": ["'self'"], "connect-src": ["'self'"]},
    instead={"form-action": ["'none'"]},
)
schema: Callable[..., HttpResponseBase] = SpectacularAPIView.as_view(renderer_classes=[JSONRenderer])


@require_safe
@content_policy.bearing(POLICY)
def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(_text())


@cache
def _text() -> str:
    """The same for everybody: made by the first who asks, since the schema takes a second."""
    return render_to_string("documentation/page.html", {"groups": listing.groups()})

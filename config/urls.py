"""Every address of the service. Each room lists its own paths in full."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.documentation import DocumentationPolicy

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin", RedirectView.as_view(pattern_name="admin:index")),  # as people type it
    path("admin/", admin.site.urls),
    path("", include("apps.core.urls")),
    path("", include("apps.payloads.urls")),
    path("", include("apps.api_keys.urls")),
    path("", include("apps.tokens.urls")),
    path("", include("apps.otp.urls")),
    path("", include("apps.factors.urls")),
    path("", include("apps.signin.urls")),
    path("", include("apps.portal.urls")),
    path("api/schema", DocumentationPolicy.schema(SpectacularAPIView), name="schema"),
    path("api/docs", DocumentationPolicy.page(SpectacularSwaggerSplitView, schema="schema"), name="docs"),
]

handler400 = "apps.core.error_pages.bad_request"
handler403 = "apps.core.error_pages.permission_denied"
handler404 = "apps.core.error_pages.not_found"
handler500 = "apps.core.error_pages.server_error"

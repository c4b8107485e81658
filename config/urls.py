"""Every address of the service. The API and the portal list their own paths in full."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.core import health
from config.documentation import DocumentationPolicy

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),  # as people type it
    path("admin/", admin.site.urls),
    path("", include("apps.portal.urls")),
    path("api/schema", DocumentationPolicy.schema(SpectacularAPIView), name="schema"),
    path("api/docs", DocumentationPolicy.page(SpectacularSwaggerSplitView, schema="schema"), name="docs"),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"

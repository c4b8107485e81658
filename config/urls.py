"""Every address of the service. The API and the portal list their own paths in full."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from apps.api import urls as api
from apps.core import health
from config import documentation

admin.autodiscover()
urlpatterns: list[URLPattern | URLResolver] = [
    *api.urlpatterns,  # not included: each level of URLs costs a request 10 µs
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),  # as people type it
    path("admin/", admin.site.urls),
    path("", include("apps.portal.urls")),
    path("api/schema", documentation.schema, name="schema"),
    path("api/docs", documentation.page, name="docs"),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"

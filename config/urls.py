"""Every address of the service. The API and the portal list their own paths in full."""

from django.urls import URLPattern, URLResolver, include, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView

from apps.api import urls as api
from apps.core import health
from config import documentation


class LoadedWhenNeeded(URLResolver):
    """Loads its addresses for the first request, or the first link, to one of them: a process that has neither is 4 MiB smaller."""

    def _populate(self) -> None:
        """Django has each list of addresses load those below it, for a link to whatever page. What has a namespace can do without."""


urlpatterns: list[URLPattern | URLResolver] = [
    *api.urlpatterns,  # not included: each level of URLs costs a request 10 µs
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),  # as people type it
    LoadedWhenNeeded(RoutePattern("admin/"), "config.admin_urls", app_name="admin", namespace="admin"),
    path("", include("apps.portal.urls")),
    path("api/schema", documentation.schema, name="schema"),
    path("api/docs", documentation.page, name="docs"),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"

"""The admin site: who may enter, which pages it takes, what it shows first."""

from collections.abc import Callable
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.checks import CheckMessage
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django_otp.middleware import is_verified
from unfold.sites import UnfoldAdminSite

from apps.audit import actions, events
from apps.core.errors import GatehouseError
from apps.operators import error_pages, menu, search
from apps.operators.context import context_of_operator, operator_of
from apps.operators.lists import choices
from apps.operators.models import LinkPurpose
from apps.operators.new_secrets import shown_once
from apps.operators.overview import page as overview
from apps.operators.pages.audit import why_refused
from apps.operators.pages.base import AuditedAdmin
from apps.operators.questions import say_why
from apps.operators.sign_in import (
    forgotten_password,
    known_browsers,
    new_password,
    notices,
    oidc,
    oidc_pages,
    own_sessions,
    second_factor,
)
from apps.operators.sign_in.form import OperatorSignInForm
from apps.operators.team.has_device import has_device

# Of what a page's context holds: all else comes from the settings.
OF_REQUEST = {
    *("has_permission", "available_apps", "is_popup", "is_nav_sidebar_enabled", "log_entries", "sidebar_navigation"),
}


class OperatorSite(UnfoldAdminSite):
    site_header = "Gatehouse"
    site_title = "Gatehouse"
    index_title = _("Overview")
    index_template = "operators/overview.html"
    login_template = "operators/sign_in.html"
    login_form = OperatorSignInForm
    _of_settings: dict[str, Any] | None = None

    def check(self, app_configs: Any) -> list[CheckMessage]:
        admin.autodiscover()  # pages that nobody has needed yet
        return super().check(app_configs)

    def register(
        self, model_or_iterable: Any, admin_class: "type[ModelAdmin[Any]] | None" = None, **options: Any
    ) -> None:
        """Take only pages whose changes become audit events: not those with which Django's apps register themselves."""
        if admin_class is not None and issubclass(admin_class, AuditedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def looks(self, request: HttpRequest) -> dict[str, Any]:
        """Of all that a page's context holds, what needs no database: for the page that says that it is away."""
        return {
            "colors": self._get_colors("COLORS", request),
            "border_radius": self._get_config("BORDER_RADIUS", request),
        }

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the settings say is the same at each request, and is put together once."""
        if self._of_settings is None:
            everything = super().each_context(request)
            self._of_settings = {name: each for name, each in everything.items() if name not in OF_REQUEST}
        of_request = AdminSite.each_context(self, request)
        shown = self.get_sidebar_list(request) if of_request["has_permission"] else ""
        return {**of_request, **self._of_settings, "sidebar_navigation": shown}

    def get_sidebar_list(self, request: HttpRequest) -> SafeString:
        return menu.of(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Of all apps, only when somebody looks: each page is given the list, and few show it."""
        find = partial(super().get_app_list, request, app_label)
        return SimpleLazyObject(find) if app_label is None else find()

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff. Operators who have a second factor, or must have one, have to have passed it."""
        return super().has_permission(request) and not self._lacks_second_factor(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        return super().admin_view(_saying_why(view), cacheable)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        mine = [
            path("second-factor/", self._signed_in(second_factor.page), name="second_factor"),
            path("forgotten-password/", self._open(forgotten_password.page), name="forgotten_password"),
            path("new-password/", self._open(new_password.page, LinkPurpose.FORGOTTEN), name="new_password"),
            path("invitation/", self._open(new_password.page, LinkPurpose.INVITATION), name="accept_invitation"),
            path("oidc/", self._open(oidc_pages.start), name="oidc"),
            path("oidc/callback/", self._open(oidc_pages.callback), name="oidc_callback"),
            path("oidc/second-factor/", self._open(oidc_pages.factor), name="oidc_factor"),
            path("sessions/", self.admin_view(self._own_sessions), name="own_sessions"),
            path("why-refused/", self.admin_view(self.why_refused), name="why_refused"),
            path("shown-once/<uuid:kept_id>/", self.admin_view(self._shown_once), name="shown_once"),
        ]
        # Django's way from a row to its page outside of the admin: there is none, and an id of another form made it fail.
        others = [each for each in super().get_urls() if getattr(each, "name", None) != "view_on_site"]
        return [*mine, *others]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in. An operator who must first enrol a second factor is led there."""
        if request.method == "GET" and self._must_enrol(request):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        if request.method == "GET" and oidc_pages.is_waiting(request) and has_device(request.user):
            return HttpResponseRedirect(reverse("admin:oidc_factor"))
        ways_in = {"by_password": settings.OPERATOR_PASSWORD_SIGN_IN, "provider": self._provider()}
        extra_context = {**(extra_context or {}), **ways_in}
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:  # signed in, and on to the next page
            known_browsers.remember(request, response, cast("int", request.user.pk))
            second_factor.warn_of_few_codes(request)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:  # saved, and on to the next page
            self._password_changed(request)
        return response

    def _password_changed(self, request: HttpRequest) -> None:
        """Every other session ends, and the operator is told."""
        context = context_of_operator(request)
        with transaction.atomic():
            own_sessions.end_others(request)
            facts = {"row": str(request.user.pk), "fields": ["password"]}
            events.record(action=actions.OPERATOR_CHANGED, details=facts, context=context)
            notices.post(operator_of(request), notices.PASSWORD_CHANGED, context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**overview.context(request), **(extra_context or {})})

    def why_refused(self, request: HttpRequest) -> HttpResponse:
        return why_refused.page(request, self)

    def _open(self, view: Any, *facts: Any) -> Any:
        """A page for people who are not signed in."""

        @never_cache
        def inner(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = view(request, self.each_context(request), *facts)
            return response

        return _saying_why(inner)

    def _own_sessions(self, request: HttpRequest) -> HttpResponse:
        return own_sessions.page(request, self.each_context(request))

    def _shown_once(self, request: HttpRequest, kept_id: UUID) -> HttpResponse:
        return shown_once.page(request, kept_id, self.each_context(request))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What Ctrl-K finds. Unfold's own view would look through the lists, and remember what it found for five minutes."""
        found = Paginator(search.find(self, request, request.GET.get("s", "")), search.MOST)
        facts = {"results": found.page(1), "page_obj": found, "page_counter": 0}
        return TemplateResponse(request, "operators/search/results.html", facts)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return choices.ChoicesView.as_view(admin_site=self)(request)

    def _provider(self) -> str:
        """What operators call the provider; empty without one."""
        return settings.OPERATOR_OIDC_NAME if oidc.is_configured() else ""

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        if is_verified(request.user) or oidc_pages.has_factor_by_provider(request):
            return False
        return bool(settings.OPERATOR_SECOND_FACTOR_REQUIRED or has_device(request.user))

    def _must_enrol(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and self._lacks_second_factor(request) and not has_device(request.user)

    def _signed_in(self, view: Any) -> Any:
        """The enrolment page is also for operators who may not enter yet, since they lack the second factor."""

        def inner(request: HttpRequest) -> HttpResponse:
            if not (self.has_permission(request) or self._must_enrol(request)):
                return HttpResponseRedirect(reverse("admin:login"))
            response: HttpResponse = view(request, self.each_context(request))
            return response

        return inner


def _saying_why(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What a flow refuses is undone, whichever page called it, and the operator reads why."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return view(request, *args, **options)
        except GatehouseError as error:
            if request.method != "POST":
                return error_pages.page(error, request)
            say_why(request, error)
            return HttpResponseRedirect(request.path)

    return inner

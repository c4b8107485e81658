"""The admin site: who may enter, which pages it takes, what it shows first."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _
from django_otp import user_has_device
from django_otp.middleware import is_verified
from unfold.sites import UnfoldAdminSite

from apps.audit import actions, events
from apps.core.errors import GatehouseError
from apps.operators import error_pages, known_browsers, overview, second_factor
from apps.operators.context import context_of_operator
from apps.operators.pages.base import AuditedAdmin
from apps.operators.questions import say_why
from apps.operators.sign_in import OperatorSignInForm


class OperatorSite(UnfoldAdminSite):
    site_header = "Gatehouse"
    site_title = "Gatehouse"
    index_title = _("Overview")
    index_template = "operators/overview.html"
    login_template = "operators/sign_in.html"
    login_form = OperatorSignInForm

    def register(
        self, model_or_iterable: Any, admin_class: "type[ModelAdmin[Any]] | None" = None, **options: Any
    ) -> None:
        """Take only pages whose changes become audit events: not those with which Django's apps register themselves."""
        if admin_class is not None and issubclass(admin_class, AuditedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff. Operators who have a second factor, or must have one, have to have passed it."""
        return super().has_permission(request) and not self._lacks_second_factor(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        return super().admin_view(_saying_why(view), cacheable)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        mine = [path("second-factor/", self._signed_in(second_factor.page), name="second_factor")]
        return [*mine, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in. An operator who must first enrol a second factor is led there."""
        if request.method == "GET" and self._must_enrol(request):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        response: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:  # signed in, and on to the next page
            known_browsers.remember(request, response, cast("int", request.user.pk))
            second_factor.warn_of_few_codes(request)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:  # saved, and on to the next page
            facts = {"row": str(request.user.pk), "fields": ["password"]}
            events.record(action=actions.OPERATOR_CHANGED, details=facts, context=context_of_operator(request))
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        numbers = {"numbers": overview.numbers(lambda model: self._may_view(request, model))}
        return super().index(request, {**numbers, **(extra_context or {})})

    def _may_view(self, request: HttpRequest, model: type[Model]) -> bool:
        return bool(self.get_model_admin(model).has_view_permission(request))

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        return not is_verified(request.user) and (
            settings.OPERATOR_SECOND_FACTOR_REQUIRED or user_has_device(request.user)
        )

    def _must_enrol(self, request: HttpRequest) -> bool:
        return (
            super().has_permission(request) and self._lacks_second_factor(request) and not user_has_device(request.user)
        )

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

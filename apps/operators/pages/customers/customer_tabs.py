"""A customer's page: tabs that are pages, each with an address of its own, and the small forms on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.core import content_policy
from apps.core.errors import NotFound
from apps.customers.models import CustomerStatus
from apps.operators import questions
from apps.operators.pages.base import AuditedAdmin
from apps.operators.pages.customers import (
    allowlist_tab,
    branding_tab,
    customer_policy,
    keys_tab,
    overview_tab,
    rows_tab,
    secrets_tab,
)
from apps.operators.pages.customers.customer_policy import FORMS, ShownForm
from apps.operators.pages.customers.visit import OVERVIEW, Visit
from apps.users.models import User

Facts = Callable[[Visit], dict[str, Any]]


def nothing_more(_visit: Visit) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Tab:
    """`facts`: what its template is given; `post`: what its own forms do; `of`: whose rows it shows."""

    slug: str
    title: Promise
    facts: Facts = nothing_more
    post: Callable[[Visit], HttpResponse] | None = None
    of: Sequence[type[Model]] = ()


TABS = {
    tab.slug: tab
    for tab in (
        Tab(slug=OVERVIEW, title=lazy("Overview"), facts=overview_tab.facts),
        Tab(slug="policy", title=lazy("Sign-in policy")),
        Tab(slug="secrets", title=lazy("Secrets"), facts=secrets_tab.facts),
        Tab(slug="keys", title=lazy("API keys"), facts=keys_tab.facts, post=keys_tab.make, of=(ApiKey,)),
        Tab(slug="allowlist", title=lazy("Allowlist"), facts=allowlist_tab.facts, post=allowlist_tab.change),
        Tab(slug="branding", title=lazy("Branding"), facts=branding_tab.facts, post=branding_tab.send_test),
        Tab(slug="users", title=lazy("Users"), facts=rows_tab.users, of=(User,)),
        Tab(slug="audit", title=lazy("Audit"), facts=rows_tab.events, of=(Event,)),
        Tab(slug="danger", title=lazy("Danger zone")),
    )
}


class CustomerTabs(AuditedAdmin):
    """The views. Whoever may not see the customer, or the rows of a tab, gets neither the tab nor its address."""

    def get_urls(self) -> list[URLPattern]:
        tabs = [self._path(f"{slug}/", slug, partial(self.tab_view, slug=slug)) for slug in TABS if slug != OVERVIEW]
        forms = self._path("policy/<slug:form>/", "form", self.form_view)
        return [forms, *tabs, *super().get_urls()]

    def _path(self, route: str, name: str, view: Any) -> URLPattern:
        view = self.admin_site.admin_view(view)
        found: URLPattern = path(f"<path:object_id>/{route}", view, name=f"customers_customer_{name}")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.tab_view(request, object_id, slug=OVERVIEW)

    def tab_view(self, request: HttpRequest, object_id: str, *, slug: str) -> HttpResponse:
        visit, tab = self._visit(request, object_id), TABS[slug]
        if isinstance(visit, HttpResponse):
            return visit
        if not visit.may_see(tab.of):
            raise PermissionDenied
        if request.method != "POST":
            return self.show_tab(visit, slug)
        if tab.post is None:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.asked_first(request, partial(tab.post, visit))

    def form_view(self, request: HttpRequest, object_id: str, form: str) -> HttpResponse:
        """A small form is saved. A GET comes from "Cancel", or after a refusal: back to where the form stands."""
        visit = self._visit(request, object_id)
        if isinstance(visit, HttpResponse):
            return visit
        small = FORMS.get(form)
        if small is None:
            raise NotFound
        if request.method != "POST":
            return visit.back_to(small.tab, anchor=small.slug)
        if not visit.may_change:
            raise PermissionDenied
        return self.asked_first(request, partial(customer_policy.save, visit, small))

    def show_tab(self, visit: Visit, slug: str, *, typed: ShownForm | None = None, **more: Any) -> HttpResponse:
        """`typed`: a small form that came back with a fault."""
        customer, tab = visit.customer, TABS[slug]
        facts = {
            **self.admin_site.each_context(visit.request),
            "opts": self.opts,
            "original": customer,
            "title": customer.name,
            "has_own_heading": True,
            "subtitle": tab.title,
            "tabs": _links(visit, slug),
            "tab": tab,
            "forms": customer_policy.shown(visit, slug, typed),
            "may_change": visit.may_change,
            "is_suspended": customer.status == CustomerStatus.SUSPENDED,
            **self._offers(visit),
            **tab.facts(visit),
            **more,
        }
        headers = _may_load(facts["picture_origin"]) if facts.get("picture_origin") else None
        return TemplateResponse(visit.request, f"operators/customer/{slug}.html", facts, headers=headers)

    def _offers(self, visit: Visit) -> dict[str, Any]:
        """The actions, and by their part of the address those that stand on a tab: a template would call a method."""
        grave = self.grave_actions(visit.request, visit.customer.pk)
        offered = [*self.get_actions_detail(visit.request, visit.customer.pk), *grave]
        return {
            "grave_actions": grave,
            "offered": {each.method.declared.url_path.replace("-", "_"): each for each in offered},
        }

    def _visit(self, request: HttpRequest, object_id: str) -> "Visit | HttpResponse":
        """The customer, if it is one of those that this operator may see; else the list of all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        customer = self.get_object(request, object_id)
        if customer is None:
            messages.error(request, _("There is nothing here."))
            return HttpResponseRedirect(questions.address_of_list(self.model))
        if not self.has_view_permission(request, customer):
            raise PermissionDenied
        return Visit(self, request, customer)


def _links(visit: Visit, current: str) -> list[dict[str, Any]]:
    return [
        {"title": tab.title, "url": visit.address(slug), "is_current": slug == current}
        for slug, tab in TABS.items()
        if visit.may_see(tab.of)
    ]


def _may_load(picture_origin: str) -> dict[str, str]:
    """The preview of a mail may show the customer's logo; no other page of the admin loads anything from elsewhere."""
    also = {"img-src": [picture_origin]}
    return {content_policy.HEADER: content_policy.text(also, instead=settings.ADMIN_CONTENT_SECURITY_POLICY)}

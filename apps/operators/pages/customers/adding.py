"""Adding a customer: a name, and then one page that leads to the first sign-in. It reads from the rows how far one is.

So it is found again at any time, by whoever goes on, and nothing is kept of its own.
"""

import ipaddress
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.audit import actions
from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import AllowedNetwork, Customer
from apps.operators.changes.declared_actions import PageAction
from apps.operators.context import context_of_operator
from apps.operators.new_secrets import shown_once
from apps.operators.pages.api_key import shown_new
from apps.operators.pages.base import AuditedAdmin
from apps.operators.pages.customers import networks
from apps.operators.pages.customers.networks import NetworkForm
from apps.operators.pages.customers.visit import Visit
from apps.operators.pages.row_form import RowForm
from apps.operators.questions import address_of

LONGEST_SLUG = 63
MOST_TRIED = 100
MOST_EVENTS = 500
SEEN = ("asked", "signed_in")  # steps that others take
MAY_ADD_KEYS = "api_keys.add_apikey"


class NewCustomerForm(RowForm[Customer]):
    """A name is enough: without a short name, one is made from it."""

    class Meta:
        model = Customer
        fields = ("name", "slug")
        labels: ClassVar = {"slug": lazy("Short name")}
        help_texts: ClassVar = {
            "slug": lazy("Empty: made from the name. Part of the issuer of every token: cannot be changed later.")
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["slug"].required = False

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if lifecycle.was_deleted(slug):
            raise forms.ValidationError(lifecycle.SLUG_OF_DELETED)
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("slug") and "slug" not in self.errors and cleaned.get("name"):
            cleaned["slug"] = free_slug(cleaned["name"])
        return cleaned


@dataclass(frozen=True)
class SetUpStep:
    """One step. `done`: what is known of it, empty as long as it is not done; `name`: which part of the page shows it."""

    name: str
    title: str | Promise
    done: str = ""
    at: datetime | None = None
    is_optional: bool = False


class AddsCustomers(AuditedAdmin):
    """A part of the customers' page."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002
        if obj is None:
            options |= {"form": NewCustomerForm, "fields": ("name", "slug")}
        return super().get_form(request, obj, change, **options)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else ((None, {"fields": ("name", "slug")}),)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django's own script writes the short name while the name is typed."""
        return {} if obj else {"slug": ("name",)}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**only_save, **(extra_context or {})})

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(address(obj))

    @PageAction(label=lazy("Getting started"), url_path="getting-started", permissions=["view"])
    def getting_started(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        visit = Visit(self, request, customer)
        if request.method == "POST":
            return self.asked_first(request, partial(_take_step, visit))
        return _page(visit, NetworkForm(initial={"network": _mine(request), "note": _("Getting started")}))


def address(customer: Customer) -> str:
    return reverse("admin:customers_customer_getting_started", args=[customer.pk])


def free_slug(name: str) -> str:
    """A short name that is not taken, and never was: "acme", or "acme-2". Raises ValidationError."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    wanted = slugify(plain.replace("_", "-")).strip("-")[: LONGEST_SLUG - 4].strip("-")
    if not wanted:
        raise forms.ValidationError({"slug": _("None can be made from this name. Choose one.")})
    for number in range(1, MOST_TRIED):
        slug = wanted if number == 1 else f"{wanted}-{number}"
        if not (Customer.objects.filter(slug=slug).exists() or lifecycle.was_deleted(slug)):
            return slug
    raise forms.ValidationError({"slug": _("Too many have such a name. Choose one.")})


def _take_step(visit: Visit) -> HttpResponse:
    """A form of the page was sent. Each leads to a page that can be loaded again. Raises PermissionDenied and Unconfirmed."""
    if visit.request.POST.get("step") == "key":
        return _make_key(visit.request, visit.customer)
    if visit.request.POST.get("step") == "network":
        return _allow(visit)
    return HttpResponseRedirect(address(visit.customer))


def _make_key(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The first key. If somebody has made one meanwhile, the page says so."""
    if not request.user.has_perm(MAY_ADD_KEYS):
        raise PermissionDenied
    if ApiKey.objects.of(customer.id).exists():
        return HttpResponseRedirect(address(customer))
    key, text = api_keys.create(customer=customer, name=_("First key"), context=context_of_operator(request))
    return shown_once.lead_to(request, shown_new(key, text, back=address(customer)))


def _allow(visit: Visit) -> HttpResponse:
    """Add one network to those that are there. Raises Unconfirmed where that locks out who called lately."""
    if not visit.may_change:
        raise PermissionDenied
    form = NetworkForm(visit.request.POST)
    if not form.is_valid():
        return _page(visit, form)
    networks.replace(visit, form.networks)
    messages.success(visit.request, _("%s may use its keys.") % form.cleaned_data["network"])
    return HttpResponseRedirect(address(visit.customer))


def _page(visit: Visit, form: NetworkForm) -> HttpResponse:
    page, request, customer = visit.page, visit.request, visit.customer
    steps = list(steps_of(customer))
    following = next((step.name for step in steps if not (step.done or step.is_optional)), "")
    facts = {
        **page.admin_site.each_context(request),
        "title": _("Getting started with %s") % customer.name,
        "has_own_heading": True,
        "opts": page.opts,
        "object": customer,
        "customer": customer,
        "steps_to_take": [step for step in steps if step.name not in SEEN],
        "steps_seen": [step for step in steps if step.name in SEEN],
        "next": following,
        "is_watched": following in SEEN,  # the page looks again and again, until it has seen the first sign-in
        "network_form": form,
        "may_add_keys": request.user.has_perm(MAY_ADD_KEYS),
        "may_change": visit.may_change,
        "page_of_customer": address_of(customer),
        "try_it": f"{settings.PUBLIC_URL}/account/{customer.slug}",
    }
    response = TemplateResponse(request, "operators/customer/getting_started.html", facts)
    response["Cache-Control"] = "no-store"
    return response


def steps_of(customer: Customer) -> Iterator[SetUpStep]:
    """How far it is, by six queries, each answered by an index."""
    yield SetUpStep("customer", _("The customer is made"), customer.slug, customer.created_at)
    key = ApiKey.objects.of(customer.id).order_by("created_at").first()
    begins = f"ghk_{key.environment}_{key.key_id}_…" if key else ""
    yield SetUpStep("key", _("Make the first API key"), begins, key.created_at if key else None)
    networks = ", ".join(AllowedNetwork.objects.of(customer.id).values_list("network", flat=True)[:3])
    yield SetUpStep("network", _("Let only some networks use its keys"), networks, is_optional=True)
    brand = customer.sender_name or customer.logo_url or customer.reply_to
    yield SetUpStep("brand", _("Give its mails a sender and a logo"), brand, is_optional=True)
    happened = _happened(customer)
    asked, signed_in = happened.get(actions.CODE_REQUESTED), happened.get(actions.SIGN_IN)
    yield SetUpStep("asked", _("The first code is asked for"), _("It was asked for.") if asked else "", asked)
    came = _("Somebody has signed in: it works.") if signed_in else ""
    yield SetUpStep("signed_in", _("The first sign-in"), came, signed_in)


def _happened(customer: Customer) -> dict[str, datetime]:
    """When each action first happened, among the customer's first and its newest events: there may be any number between."""
    mine = Event.objects.of(customer.id).values_list("action", "at")
    first, newest = mine.order_by("at", "id")[:MOST_EVENTS], mine.order_by("-at", "-id")[:MOST_EVENTS]
    return dict(newest) | dict(reversed(list(first)))


def _mine(request: HttpRequest) -> str:
    """The operator's own address, as a network."""
    ip = context_of_operator(request).ip
    return str(ipaddress.ip_network(ip)) if ip else ""

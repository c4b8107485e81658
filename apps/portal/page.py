"""What the pages have in common: a method that a page does not have is refused, and a customer's page is in its look and language.

A page answers in HTML, whatever happens: what is refused is explained on a page, too.
"""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.audit import refusals, steps
from apps.audit.refusals import NewRefusal
from apps.core import error_answers, text_languages
from apps.core.content_policy import Policy
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError, NotFound
from apps.core.requests import context_of
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.state import CustomerState
from apps.portal import branding, own_origin, protection
from apps.portal.branding import PageBrand
from apps.portal.protection import Answer
from apps.tokens import verification
from apps.tokens.errors import CrossSiteRequest
from apps.users import languages

SEE_OTHER = 303
UNKNOWN_CUSTOMER = "unknown_customer"
WHAT_NOW = {
    NotFound: _("Perhaps the link was not copied as a whole. Please open it from the mail again."),
    CustomerSuspended: _("Nothing has been changed. Please try again later."),
    CrossSiteRequest: _("Nothing has been changed. Open the page itself, and try again there."),
}


class Page(View):
    """A page of the portal. A method that it does not have is refused in the one form of errors."""

    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = error_answers.plain(error_answers.MethodNotAllowed(), request)
        answer["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        return answer


@method_decorator(csrf_exempt, name="dispatch")
class CustomerPage(Page):
    """One customer's page. `self.customer` and `self.context` are there before `get` and `post` are called.

    A suspended customer's page answers 403 to everything (contract 1.8). Whatever a handler refuses, by raising a
    GatehouseError, is explained on a page of its own. Forms are taken from our own pages only, unless
    `takes_forms_from_anywhere`: what such a page does is decided by what is typed, not by a cookie.
    """

    http_method_names = ["get", "head", "post"]
    takes_forms_from_anywhere: ClassVar[bool] = False
    template: ClassVar[str] = "portal/page.html"
    customer: CustomerState
    context: RequestContext
    brand: PageBrand | None = None
    language: str = ""

    def dispatch(self, request: HttpRequest, *args: Any, slug: str, **kwargs: Any) -> HttpResponseBase:
        try:
            self._enter(request, slug)
            return self.respond(request, **kwargs)
        except GatehouseError as error:
            return self.explain(request, error)

    def respond(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """What `get` or `post` answers. A subclass looks here whether somebody is signed in."""
        return super().dispatch(request, **kwargs)

    def show(
        self, request: HttpRequest, template: str = "", *, error: GatehouseError | None = None, **facts: Any
    ) -> HttpResponse:
        """The page. With an `error` it has its status, and says when to come back."""
        status = error.status if error else 200
        facts = {"brand": self.brand, "error": error, **facts}
        response = render(request, template or self.template, facts, status=status)
        for name, value in error_answers.headers_of(error).items() if error else ():
            response[name] = value
        return self.protect(response)

    def explain(self, request: HttpRequest, error: GatehouseError) -> HttpResponse:
        """A page that says why this cannot be, and nothing else."""
        facts = {"heading": _("This did not work"), "said": error.text, "lead": WHAT_NOW.get(type(error), "")}
        return CustomerPage.show(self, request, "portal/refused.html", error=error, **facts)

    def send_to(self, request: HttpRequest, address: str) -> HttpResponse:
        """Leads on. Django's own redirects refuse the schemes of native apps, and an app's addresses are registered."""
        response = HttpResponse(status=SEE_OTHER)
        response["Location"] = iri_to_uri(address)
        return self.protect(response)

    def protect(self, response: Answer) -> Answer:
        """Every answer of a page passes here, redirects too."""
        return protection.protect(response, more=self.allowed())

    def allowed(self) -> Policy:
        """What this page's Content-Security-Policy allows beyond that of all pages: the customer's logo."""
        origin = self.brand.picture_origin if self.brand else ""
        return {"img-src": (origin,)} if origin else {}

    def _enter(self, request: HttpRequest, slug: str) -> None:
        """Raises NotFound, CustomerSuspended, IpNotAllowed or CrossSiteRequest."""
        self.context = context_of(request)
        self.customer = _find(slug, self.context)
        self.brand = branding.of(self.customer)
        self.language = language_of(request, self.customer, self.context)
        translation.activate(self.language)
        with refusals.recorded(steps.OPEN_PAGE, self.context, customer_id=self.customer.id):
            customers.require_active(self.customer)
            verification.require_address(self.customer, self.context)
        if not self.takes_forms_from_anywhere:
            own_origin.require_own_page(request)


def _find(slug: str, context: RequestContext) -> CustomerState:
    """Raises NotFound, which is an event here: who links to this page has a name wrong, or somebody tries names."""
    try:
        return customers.find_linked(slug)
    except NotFound:
        refusals.record_if_possible(NewRefusal(rule=UNKNOWN_CUSTOMER, step=steps.OPEN_PAGE, context=context))
        raise


def language_of(request: HttpRequest, customer: CustomerState, context: RequestContext) -> str:
    """What the app asks for (`ui_locales`), else what the browser does, else the customer's."""
    asked = (*request.GET.get("ui_locales", "").split(), *languages.accepted_by(context))
    return text_languages.served_by(next(filter(text_languages.is_known, asked), customer.default_locale))

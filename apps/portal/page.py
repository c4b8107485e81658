"""What the pages have in common: a method that a page does not have is refused, and a form is shown, checked and acted on.

The pages have no session and no cookie, so there is nothing that another site could make a browser send along: what they
do is decided by what is typed, or by a token that only the mail's reader has.
"""

from typing import Any, ClassVar

from csp.decorators import csp_update
from django import forms
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.reset_links import LONGEST_TOKEN
from apps.core import error_answers
from apps.core.errors import GatehouseError, NotFound, ValidationFailed
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.state import CustomerState

CONTENT_SECURITY_POLICY = {"style-src": ["'self'"], "script-src": ["'self'"]}
WHAT_NOW = {
    NotFound: _("Perhaps the link was not copied as a whole. Please open it from the mail again."),
    CustomerSuspended: _("Nothing has been changed. Please try again later."),
}


class Page(View):
    """A page of the portal. A method that it does not have is refused in the one form of errors."""

    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = error_answers.plain(error_answers.MethodNotAllowed(), request)
        answer["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        return answer


@method_decorator((csrf_exempt, never_cache, csp_update(CONTENT_SECURITY_POLICY)), name="dispatch")
class FormPage(Page):
    """One customer's page with one form. A subclass says what the form is, and does what it is for."""

    http_method_names = ["get", "head", "post"]
    form_class: ClassVar[type[Form]]
    heading: ClassVar[str | Promise]
    lead: ClassVar[str | Promise] = ""
    button: ClassVar[str | Promise]
    done: ClassVar[str | Promise]

    def dispatch(self, request: HttpRequest, *args: Any, slug: str, **kwargs: Any) -> HttpResponseBase:
        """The page of the customer in the link. A suspended customer's answers 403 to everything (contract 1.8)."""
        brand = None
        try:
            customer = customers.find_linked(slug)
            brand = customer.branding
            customers.require_active(customer)
        except (NotFound, CustomerSuspended) as error:
            return _answer(request, {"brand": brand, "heading": error.text, "lead": WHAT_NOW[type(error)]}, error=error)
        return super().dispatch(request, *args, customer=customer, **kwargs)

    def get(self, request: HttpRequest, customer: CustomerState) -> HttpResponse:
        return self._show(request, customer, form=self.form_class(label_suffix=""))

    def post(self, request: HttpRequest, customer: CustomerState) -> HttpResponse:
        form = self.form_class(request.POST, label_suffix="")
        if not form.is_valid():
            return self._show(request, customer, form=form, error=ValidationFailed())
        try:
            self.act(request, customer, form.cleaned_data)
        except GatehouseError as error:
            _explain(form, error)
            return self._show(request, customer, form=form, error=error)
        return self._show(request, customer, done=self.done)

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        """Do what the page is for. Raises GatehouseError."""
        raise NotImplementedError

    def _show(
        self, request: HttpRequest, customer: CustomerState, *, error: GatehouseError | None = None, **context: Any
    ) -> HttpResponse:
        facts = {"brand": customer.branding, "heading": self.heading, "lead": self.lead, "button": self.button}
        return _answer(request, {**facts, **context}, error=error)


class TokenForm(forms.Form):
    """The token stands in the link's fragment. page.js moves it here; without scripts people paste it."""

    token = forms.CharField(
        label=_("The code at the end of the link in the mail, after “token=”"),
        max_length=LONGEST_TOKEN,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-token": ""}),
    )


def _answer(request: HttpRequest, context: dict[str, Any], *, error: GatehouseError | None) -> HttpResponse:
    """The page. With an `error` it has its status, and says when to come back."""
    response = render(request, "portal/page.html", context, status=error.status if error else 200)
    for name, value in error_answers.headers_of(error).items() if error else ():
        response[name] = value
    response["Referrer-Policy"] = "no-referrer"
    return response


def _explain(form: Form, error: GatehouseError) -> None:
    """What went wrong, at the field that it is about."""
    for name, texts in (error.fields or {}).items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
    if not error.fields:
        form.add_error(None, str(error.text))

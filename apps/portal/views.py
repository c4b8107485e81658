"""The front page, and pages for customers who have none of their own: set a password, ask for a link, undo a change of address.

They bear no session and no cookie, so there is nothing that another site could make a browser send along: what they do
is decided by what is typed, or by a token that only the mail's reader has.
"""

from typing import Any, ClassVar

from csp.decorators import csp_update
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.accounts import email_undo, recovery
from apps.core import error_answers
from apps.core.errors import GatehouseError, NotFound, ValidationFailed
from apps.core.requests import context_of
from apps.customers import state as customers
from apps.customers.errors import CustomerSuspended
from apps.customers.state import CustomerState
from apps.portal.forms import ForgotPasswordForm, ResetPasswordForm, UndoEmailChangeForm
from apps.users import emails

POLICY = {"style-src": ["'self'"], "script-src": ["'self'"]}
WAYS: tuple[dict[str, Any], ...] = (
    {"key": "admin", "route": "admin:index", "name": _("Administration"), "readers": _("for operators")},
    {"key": "documentation", "route": "docs", "name": _("API documentation"), "readers": _("for developers")},
    {"key": "health", "route": "healthz", "name": _("Health"), "readers": _("for monitoring")},
)
WHAT_NOW = {
    NotFound: _("Perhaps the link was not copied as a whole. Please open it from the mail again."),
    CustomerSuspended: _("Nothing has been changed. Please try again later."),
}


class ForPeople(View):
    """A page. A method that it does not have is refused in the one form of errors."""

    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = error_answers.plain(error_answers.MethodNotAllowed(), request)
        answer["Allow"] = ", ".join(name.upper() for name in self.http_method_names)
        return answer


@method_decorator(csp_update({"style-src": ["'self'"], "img-src": ["'self'"]}), name="dispatch")
class FrontPage(ForPeople):
    """Leads people from the bare address to where they want to go. It says nothing about customers or versions."""

    def get(self, request: HttpRequest) -> HttpResponse:
        ways = [{**way, "path": reverse(way["route"])} for way in WAYS]
        if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            answer: HttpResponse = JsonResponse({way["key"]: way["path"] for way in ways})
        else:
            answer = render(request, "portal/front.html", {"ways": ways})
        patch_vary_headers(answer, ["Accept"])
        return answer


@method_decorator((csrf_exempt, never_cache, csp_update(POLICY)), name="dispatch")
class FormPage(ForPeople):
    """One form, and what comes of it."""

    http_method_names = ["get", "head", "post"]
    form_class: ClassVar[type[Form]]
    heading: ClassVar[str | Promise]
    lead: ClassVar[str | Promise] = ""
    button: ClassVar[str | Promise]
    done: ClassVar[str | Promise]

    def dispatch(self, request: HttpRequest, *args: Any, slug: str, **kwargs: Any) -> HttpResponseBase:
        """Every page is one customer's. Who is suspended answers 403 whatever is asked for (contract 1.8)."""
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


class ResetPasswordPage(FormPage):
    """Set a password with the token of a mail."""

    form_class = ResetPasswordForm
    heading = _("Set a new password")
    button = _("Set the password")
    done = _("Your password has been changed, and you are signed out everywhere. You can sign in with it now.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        recovery.reset(
            recovery.PasswordReset(
                customer=customer,
                owners_too=False,
                token=given["token"],
                password=given["password"],
                context=context_of(request),
            )
        )


class ForgotPasswordPage(FormPage):
    """Ask for such a mail: where "this was not me" leads."""

    form_class = ForgotPasswordForm
    heading = _("Set a new password")
    lead = _("We send you a link. With the new password you are signed out everywhere.")
    button = _("Send the link")
    done = _("If this address has an account, a link is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        address = emails.parse(given["email"])
        recovery.forgot(recovery.ResetRequest(customer, customer, address, context_of(request)))


class UndoEmailChangePage(FormPage):
    """Give an account its old address back, with the token of the mail that announced the change."""

    form_class = UndoEmailChangeForm
    heading = _("Undo the change of address")
    lead = _(
        "The account gets its old address back, and is signed out everywhere. A link to set a new password follows."
    )
    button = _("Undo the change")
    done = _("The address is what it was. A link to set a new password is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        email_undo.undo(
            email_undo.UndoRequest(
                customer=customer,
                owners_too=False,
                token=given["token"],
                context=context_of(request),
            )
        )


def _answer(request: HttpRequest, context: dict[str, Any], *, error: GatehouseError | None) -> HttpResponse:
    """The page. `error`: it says so with this status, and with when to come back."""
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

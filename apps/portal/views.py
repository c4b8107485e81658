"""Pages for customers who have none of their own: set a password, ask for a link, undo a change of address.

They bear no session and no cookie, so there is nothing that another site could make a browser send along: what they do
is decided by what is typed, or by a token that only the mail's reader has.
"""

from typing import Any, ClassVar

from csp.decorators import csp_update
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.api_keys.asking import Asking
from apps.core.errors import GatehouseError, NotFound
from apps.core.requests import caller_of
from apps.customers import standing
from apps.customers.models import Customer
from apps.customers.standing import CustomerStanding
from apps.portal.forms import ForgotPasswordForm, ResetPasswordForm, UndoEmailChangeForm
from apps.signin import email_change, recovery
from apps.users import emails

POLICY = {"style-src": ["'self'"], "script-src": ["'self'"]}


@method_decorator((csrf_exempt, never_cache, csp_update(POLICY)), name="dispatch")
class Page(View):
    """One form, and what comes of it."""

    http_method_names = ["get", "head", "post"]
    form_class: ClassVar[type[Form]]
    heading: ClassVar[str | Promise]
    lead: ClassVar[str | Promise] = ""
    button: ClassVar[str | Promise]
    done: ClassVar[str | Promise]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self._show(request, _customer(slug), form=self.form_class(label_suffix=""))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        customer, form = _customer(slug), self.form_class(request.POST, label_suffix="")
        if not form.is_valid():
            return self._show(request, customer, form=form, status=400)
        try:
            self.act(request, customer, form.cleaned_data)
        except GatehouseError as error:
            _explain(form, error)
            return self._show(request, customer, form=form, status=error.status)
        return self._show(request, customer, done=self.done)

    def act(self, request: HttpRequest, customer: CustomerStanding, given: dict[str, Any]) -> None:
        """Do what the page is for. Raises GatehouseError."""
        raise NotImplementedError

    def _show(
        self, request: HttpRequest, customer: CustomerStanding, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        facts = {"brand": customer.branding, "heading": self.heading, "lead": self.lead, "button": self.button}
        response = render(request, "portal/page.html", {**facts, **context}, status=status)
        response["Referrer-Policy"] = "no-referrer"
        return response


class ResetPassword(Page):
    """Set a password with the token of a mail."""

    form_class = ResetPasswordForm
    heading = _("Set a new password")
    button = _("Set the password")
    done = _("Your password has been changed, and you are signed out everywhere. You can sign in with it now.")

    def act(self, request: HttpRequest, customer: CustomerStanding, given: dict[str, Any]) -> None:
        recovery.reset(
            recovery.Reset(
                asking=Asking(customer, None),
                token=given["token"],
                password=given["password"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        )


class ForgotPassword(Page):
    """Ask for such a mail: where "this was not me" leads."""

    form_class = ForgotPasswordForm
    heading = _("Set a new password")
    lead = _("We send you a link. With the new password you are signed out everywhere.")
    button = _("Send the link")
    done = _("If this address has an account, a link is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerStanding, given: dict[str, Any]) -> None:
        address = emails.parse(given["email"])
        recovery.forgot(recovery.Forgotten(customer, address, caller_of(request), timezone.now()))


class UndoEmailChange(Page):
    """Give an account its old address back, with the token of the mail that announced the change."""

    form_class = UndoEmailChangeForm
    heading = _("Undo the change of address")
    lead = _(
        "The account gets its old address back, and is signed out everywhere. A link to set a new password follows."
    )
    button = _("Undo the change")
    done = _("The address is what it was. A link to set a new password is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerStanding, given: dict[str, Any]) -> None:
        asking = Asking(customer, None)
        email_change.undo(email_change.Undoing(asking, given["token"], caller_of(request), timezone.now()))


def _customer(slug: str) -> CustomerStanding:
    """Raises Http404, for customers who are suspended too."""
    customer_id = Customer.objects.filter(slug=slug).values_list("id", flat=True).first()
    try:
        found = standing.read(customer_id) if customer_id else None
        if found is None:
            raise Http404
        standing.require_active(found)
    except (NotFound, GatehouseError):
        raise Http404 from None
    return found


def _explain(form: Form, error: GatehouseError) -> None:
    """What went wrong, at the field that it is about."""
    for name, texts in (error.fields or {}).items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
    if not error.fields:
        form.add_error(None, str(error.text))

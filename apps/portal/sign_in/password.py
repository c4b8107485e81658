"""Signing in by password."""

from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError, ValidationFailed
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in.arrival import ArrivalPage
from apps.portal.sign_in.forms import PasswordForm, refuse
from apps.signin import by_password
from apps.tokens.models import Delivery
from apps.users import emails

CONFIRMED = "confirmed"  # remembered: the address has just been confirmed


class PasswordPage(ArrivalPage):
    """Takes address and password in one form, so that password managers fill both."""

    template = "portal/sign_in/password.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        email = self.memory.email or (self.app.given.login_hint if self.app else "")
        form = PasswordForm(initial={"email": email})
        form.fields["password" if email else "email"].widget.attrs["autofocus"] = ""
        return self.show(request, form=form, is_confirmed=self.memory.method == CONFIRMED)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request.POST)
        try:
            return self._sign_in(request, form)
        except GatehouseError as error:
            refuse(form, error)
            return self.show(request, form=form, error=error)

    def _sign_in(self, request: HttpRequest, form: PasswordForm) -> HttpResponse:
        if not form.is_valid():
            focus_on_fault(form)
            return self.show(request, form=form, error=ValidationFailed())
        ended = by_password.sign_in(
            by_password.PasswordSignIn(
                client_customer=self.customer,
                customer=self.customer,
                address=emails.parse(form.cleaned_data["email"]),
                password=form.cleaned_data["password"],
                delivery=Delivery.HOSTED,
                context=self.context,
                device_tokens=self.device_tokens(request),
            )
        )
        return self.after(request, ended)

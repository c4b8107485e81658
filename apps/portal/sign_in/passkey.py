"""Signing in by a passkey alone. A script puts what the browser gives into the form."""

from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError
from apps.portal.sign_in import passkey_options
from apps.portal.sign_in.arrival import ArrivalPage
from apps.portal.sign_in.forms import EmailForm, refuse
from apps.portal.sign_in.start import StartPage
from apps.signin import by_passkey
from apps.tokens.models import Delivery


class PasskeyPage(ArrivalPage, StartPage):
    """Takes a passkey; if it is refused, the first step is there again, with every other way."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.send_to(request, self.steps.start)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            ended = by_passkey.sign_in(
                by_passkey.PasskeySignIn(
                    customer=self.customer,
                    credential=passkey_options.credential_in(request.POST.get("credential", "")),
                    delivery=Delivery.HOSTED,
                    context=self.context,
                    device_tokens=self.device_tokens(request),
                )
            )
        except GatehouseError as error:
            form = EmailForm({"email": ""})
            refuse(form, error)
            return self.ask(request, form, error=error)
        return self.after(request, ended)

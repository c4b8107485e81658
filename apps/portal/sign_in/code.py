"""Signing in by the code in the mail."""

from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError, ValidationFailed
from apps.otp.errors import InvalidOtp
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in.arrival import ArrivalPage
from apps.portal.sign_in.forms import LONGEST_EMAIL, CodeStepForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.portal.sign_in.start import send_code
from apps.signin import by_code
from apps.tokens.models import Delivery
from apps.users import emails


class CodePage(ArrivalPage):
    """Takes the code, and sends another on request."""

    template = "portal/sign_in/code.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self.memory.email:
            return self.send_to(request, self.steps.start)
        return self._ask(request, CodeStepForm(), self.memory)

    def post(self, request: HttpRequest) -> HttpResponse:
        given = StepMemory(email=request.POST.get("email", "")[:LONGEST_EMAIL], resend_at=_time(request))
        try:
            emails.parse(given.email)
        except ValidationFailed:  # the field is hidden: nobody has typed it
            return self.send_to(request, self.steps.start)
        if "resend" in request.POST:
            return self._send_another(request, given)
        form = CodeStepForm(request.POST)
        if not form.is_valid():
            focus_on_fault(form)
            return self._ask(request, form, given, error=ValidationFailed())
        return self._sign_in(request, form, given)

    def _sign_in(self, request: HttpRequest, form: CodeStepForm, given: StepMemory) -> HttpResponse:
        try:
            ended = by_code.sign_in(
                by_code.CodeSignIn(
                    customer=self.customer,
                    address=emails.parse(given.email),
                    code=form.cleaned_data["code"],
                    delivery=Delivery.HOSTED,
                    context=self.context,
                    device_tokens=self.device_tokens(request),
                )
            )
        except InvalidOtp as error:
            return self._through(request, given.email) or self._refuse(request, form, given, error)
        except GatehouseError as error:
            return self._refuse(request, form, given, error)
        return self.after(request, ended)

    def _through(self, request: HttpRequest, email: str) -> HttpResponse | None:
        """The form may have been sent twice, and the first has signed in: then that is what the user wanted."""
        if self.here is None or self.must_sign_in() or not emails.same_mailbox(self.here.user.email, email):
            return None
        return self.leave(request, self.here.user, self.here.session_id)

    def _send_another(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        try:
            again = StepMemory(email=given.email, resend_at=send_code(given.email, page=self))
        except GatehouseError as error:
            return self._refuse(request, CodeStepForm(request.POST), given, error)
        return self.go_to_step(request, self.steps.code, again)

    def _refuse(
        self, request: HttpRequest, form: CodeStepForm, given: StepMemory, error: GatehouseError
    ) -> HttpResponse:
        refuse(form, error, field="code" if isinstance(error, InvalidOtp) else None)
        return self._ask(request, form, given, error=error)

    def _ask(
        self, request: HttpRequest, form: CodeStepForm, given: StepMemory, *, error: GatehouseError | None = None
    ) -> HttpResponse:
        return self.show(
            request,
            error=error,
            form=form.for_codes_of(self.customer.code_alphabet),
            email=given.email,
            resend_at=given.resend_at,
            wait=self.wait_until(given.resend_at),
        )


def _time(request: HttpRequest) -> int:
    """From when on another code can be asked for, as the page said. Nothing but its countdown depends on it."""
    text = request.POST.get("resend_at", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else 0

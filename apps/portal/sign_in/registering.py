"""Registering: address and password, then the code that proves the address. What is answered tells nothing about an address."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from apps.accounts import registration, verify_email
from apps.accounts.errors import RegistrationClosed
from apps.core.errors import GatehouseError, ValidationFailed
from apps.otp import code_requests
from apps.otp.code_requests import CodeRequest
from apps.otp.errors import InvalidOtp, ResendTooSoon
from apps.otp.purposes import VERIFY_EMAIL
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in.forms import LONGEST_EMAIL, CodeStepForm, RegisterForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.portal.sign_in.password import CONFIRMED
from apps.portal.sign_in.visit import SignInPage
from apps.users import emails

RESENT = "resent"  # remembered: the code was asked for again


class RegisterPage(SignInPage):
    """Takes what a new user gives. There is no such page where the customer lets nobody register."""

    template = "portal/sign_in/register.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        self._require_open()
        hint = self.memory.email or (self.app.given.login_hint if self.app else "")
        return self.show(request, form=RegisterForm(initial={"email": hint}))

    def post(self, request: HttpRequest) -> HttpResponse:
        self._require_open()
        form = RegisterForm(request.POST)
        if not form.is_valid():
            focus_on_fault(form)
            return self.show(request, form=form, error=ValidationFailed())
        try:
            done = self._register(form)
        except GatehouseError as error:
            refuse(form, error)
            return self.show(request, form=form, error=error)
        wait = int(self.context.now.timestamp()) + done.resend_in
        return self.go_to_step(
            request, self.steps.verify_email, StepMemory(email=form.cleaned_data["email"], resend_at=wait)
        )

    def _register(self, form: RegisterForm) -> registration.Registered:
        given = form.cleaned_data
        return registration.register(
            registration.RegistrationRequest(
                customer=self.customer,
                address=emails.parse(given["email"]),
                password=given["password"],
                name=given["name"],
                phone="",
                locale=self.language,
                context=self.context,
            )
        )

    def _require_open(self) -> None:
        """Raises RegistrationClosed."""
        if not self.customer.allows_registration:
            raise RegistrationClosed


class VerifyEmailPage(SignInPage):
    """Takes the code that proves the address. Then the user signs in with the password."""

    template = "portal/sign_in/verify_email.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self.memory.email:
            return self.send_to(request, self.steps.start)
        return self._ask(request, CodeStepForm(), self.memory)

    def post(self, request: HttpRequest) -> HttpResponse:
        """`do`: "resend", or nothing to give the code."""
        email = request.POST.get("email", "")[:LONGEST_EMAIL]
        given = self.memory if self.memory.email == email else StepMemory(email=email)
        form = CodeStepForm(request.POST)
        try:
            emails.parse(email)
            if "resend" in request.POST:
                return self._send_another(request, given)
            return self._verify(request, form, given)
        except GatehouseError as error:
            refuse(form, error, field="code" if isinstance(error, InvalidOtp) else None)
            return self._ask(request, form, given, error=error)

    def _verify(self, request: HttpRequest, form: CodeStepForm, given: StepMemory) -> HttpResponse:
        if not form.is_valid():
            focus_on_fault(form)
            return self._ask(request, form, given, error=ValidationFailed())
        verify_email.verify(
            verify_email.AddressProof(
                customer=self.customer,
                address=emails.parse(given.email),
                code=form.cleaned_data["code"],
                context=self.context,
            )
        )
        return self.go_to_step(request, self.steps.password, StepMemory(email=given.email, method=CONFIRMED))

    def _send_another(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        asked = CodeRequest(
            customer=self.customer,
            address=emails.parse(given.email),
            purpose=VERIFY_EMAIL,
            locale=self.language,
            context=self.context,
        )
        try:
            wait: float = code_requests.request_code(asked).resend_in
        except ResendTooSoon as error:
            wait = (error.retry_after or 0) + 1
        resend_at = int(self.context.now.timestamp() + wait)
        return self.go_to_step(request, self.steps.verify_email, replace(given, resend_at=resend_at, method=RESENT))

    def _ask(
        self, request: HttpRequest, form: CodeStepForm, given: StepMemory, *, error: GatehouseError | None = None
    ) -> HttpResponse:
        wait = self.wait_until(given.resend_at)
        form = form.for_codes_of(self.customer.code_alphabet)
        return self.show(request, error=error, form=form, email=given.email, wait=wait)

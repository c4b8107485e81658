"""The first step: who is it, and which way in. Who is signed in here already goes straight through."""

from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError
from apps.oauth.authorization_parameters import SELECT_ACCOUNT
from apps.otp import code_requests
from apps.otp.code_requests import CodeRequest
from apps.otp.errors import ResendTooSoon
from apps.otp.purposes import LOGIN
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in import passkey_options
from apps.portal.sign_in.forms import EmailForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.portal.sign_in.visit import SignInPage
from apps.users import emails

CODE, PASSWORD = "code", "password"


class StartPage(SignInPage):
    """Asks for the address, and sends a code to it. Which address has an account makes no difference here."""

    template = "portal/sign_in/start.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.here is not None and not self.must_sign_in():
            return self.leave(request, self.here.user, self.here.session_id)
        if self.app is not None and not self.app.may_show_pages:
            raise self.app.refused("login_required")
        if self.app is not None and self.app.wants_registration and self.customer.allows_registration:
            return self.send_to(request, self.steps.register)
        return (
            self._offer_account(request) if self._may_choose() else self.ask(request, EmailForm(initial=self._hint()))
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """`way`: which button was pressed; none of them for "another account"."""
        way = request.POST.get("way", "")
        if way not in (CODE, PASSWORD):
            return self.ask(request, EmailForm())
        form = EmailForm(request.POST)
        try:
            return self._take(request, form, way)
        except GatehouseError as error:
            refuse(form, error)
            return self.ask(request, form, error=error)

    def ask(self, request: HttpRequest, form: EmailForm, *, error: GatehouseError | None = None) -> HttpResponse:
        options = passkey_options.of_anybody(self.customer, now=self.context.now)
        return self.show(request, StartPage.template, error=error, form=form, passkey_options=options)

    def _take(self, request: HttpRequest, form: EmailForm, way: str) -> HttpResponse:
        if not form.is_valid():
            focus_on_fault(form)
            return self.ask(request, form)
        email = form.cleaned_data["email"]
        if way == PASSWORD:
            emails.parse(email)
            return self.go_to_step(request, self.steps.password, StepMemory(email=email))
        wait = send_code(email, page=self)
        return self.go_to_step(request, self.steps.code, StepMemory(email=email, resend_at=wait))

    def _offer_account(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, "portal/sign_in/choose_account.html", here=self.here)

    def _may_choose(self) -> bool:
        asked = self.app is not None and SELECT_ACCOUNT in self.app.given.prompts
        return asked and self.here is not None and not self.must_sign_in(has_chosen=True)

    def _hint(self) -> dict[str, str]:
        """The address that the app expects, else the one that is signed in here, or was typed a moment ago."""
        expected = self.app.given.login_hint if self.app else ""
        return {"email": expected or (self.here.user.email if self.here else "") or self.memory.email}


def send_code(email: str, *, page: SignInPage) -> int:
    """Have a code sent. Returns from when on another can be asked for (unix time).

    That a code is on its way already is no fault: it is what whoever asks twice wants. Raises GatehouseError.
    """
    request = CodeRequest(
        customer=page.customer,
        address=emails.parse(email),
        purpose=LOGIN,
        locale=page.language,
        context=page.context,
    )
    now = int(page.context.now.timestamp())
    try:
        return now + code_requests.request_code(request).resend_in
    except ResendTooSoon as error:
        return now + int(error.retry_after or 0) + 1

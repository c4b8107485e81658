"""What the pages of a sign-in that waits for a second factor have in common."""

from django.http import HttpRequest, HttpResponse

from apps.core.errors import AuthenticationError, GatehouseError
from apps.factors.methods import PASSKEY
from apps.otp.errors import InvalidOtp
from apps.portal.sign_in import passkey_options
from apps.portal.sign_in.arrival import ArrivalPage
from apps.portal.sign_in.forms import LONGEST_TOKEN, CodeStepForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.signin import challenges, second_factor
from apps.signin.challenges import OpenChallenge
from apps.signin.second_factor_attempts import SecondFactorAttempt, SecondFactorRequest
from apps.tokens.errors import InvalidToken, MalformedToken

OVER = (MalformedToken, AuthenticationError)  # the challenge was met, has expired, or its tries are spent


class ChallengePage(ArrivalPage):
    """A page with the token of a challenge in its forms. Once that is over, there is only a way back to the beginning."""

    def given(self, request: HttpRequest) -> StepMemory:
        """What the form bears. What its code was sent by, and when, is remembered; it is only shown."""
        token, method = request.POST.get("session_token", "")[:LONGEST_TOKEN], request.POST.get("method", "")
        is_same = (token, method) == (self.memory.session_token, self.memory.method)
        return StepMemory(session_token=token, method=method, resend_at=self.memory.resend_at if is_same else 0)

    def open(self, session_token: str) -> OpenChallenge | None:
        try:
            return challenges.open_challenge(session_token, client=self.client(), context=self.context)
        except OVER:
            return None

    def over(self, request: HttpRequest) -> HttpResponse:
        """One answer, whatever has ended the challenge."""
        return self.show(request, "portal/sign_in/over.html", error=InvalidToken())

    def asked(self, given: StepMemory) -> SecondFactorRequest:
        return SecondFactorRequest(
            client=self.client(), session_token=given.session_token, method=given.method, context=self.context
        )

    def attempt(self, request: HttpRequest, given: StepMemory) -> SecondFactorAttempt:
        """Raises InvalidPasskey."""
        is_passkey = given.method == PASSKEY
        return SecondFactorAttempt(
            client=self.client(),
            session_token=given.session_token,
            method=given.method,
            context=self.context,
            code="" if is_passkey else request.POST.get("code", ""),
            credential=passkey_options.credential_in(request.POST.get("credential", "")) if is_passkey else None,
            remember="remember" in request.POST,
        )

    def verify(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        """Take what was given: a factor that the user has, or the first code of a new one."""
        form = CodeStepForm(request.POST)
        try:
            if given.method != PASSKEY and not form.is_valid():
                raise NotACode
            passed = second_factor.verify(self.attempt(request, given))
        except OVER:
            return self.over(request)
        except GatehouseError as error:
            is_about_the_code = isinstance(error, InvalidOtp) and given.method != PASSKEY
            refuse(form, error, field="code" if is_about_the_code else None)
            return self.ask_again(request, given, form, error)
        return self.after(request, passed.ended, recovery_codes=passed.recovery_codes)

    def ask_again(
        self, request: HttpRequest, given: StepMemory, form: CodeStepForm, error: GatehouseError
    ) -> HttpResponse:
        raise NotImplementedError

    def resend_at(self, wait: float) -> int:
        """A wait in seconds as a time (unix). At least a second: 0 stands for a code that was not sent."""
        return int(self.context.now.timestamp()) + max(1, int(wait))


class NotACode(InvalidOtp):
    """It cannot be a code of ours, so it costs no try."""

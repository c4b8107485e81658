"""The second factor: all methods that would do, in their order; sent, asked for, and taken."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError
from apps.factors import enrolled
from apps.factors.methods import PASSKEY, RECOVERY_CODE, SMS
from apps.otp.errors import ResendTooSoon
from apps.portal.sign_in import passkey_options, texts
from apps.portal.sign_in.challenge_page import OVER, ChallengePage
from apps.portal.sign_in.forms import CodeStepForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.signin import second_factor
from apps.signin.challenges import OpenChallenge
from apps.signin.requirements import EMAIL
from apps.signin.second_factor_codes import SentCode

SENT = (EMAIL, SMS)


class SecondFactorPage(ChallengePage):
    """Asks for one method at a time; the others are buttons below."""

    template = "portal/sign_in/second_factor.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self.memory.session_token:
            return self.send_to(request, self.steps.start)
        return self._ask(request, self.memory, CodeStepForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """`do`: "send", "verify", or nothing for another method."""
        given, what = self.given(request), request.POST.get("do", "")
        if what == "verify":
            return self.verify(request, given)
        return self._send(request, given) if what == "send" else self._turn_to(request, given)

    def ask_again(
        self, request: HttpRequest, given: StepMemory, form: CodeStepForm, error: GatehouseError
    ) -> HttpResponse:
        return self._ask(request, given, form, error=error)

    def _turn_to(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        return self.go_to_step(request, self.steps.second_factor, given)

    def _send(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        try:
            sent = second_factor.send(self.asked(given))
        except ResendTooSoon as error:  # a code is on its way already
            return self._turn_to(request, replace(given, resend_at=self.resend_at((error.retry_after or 0) + 1)))
        except OVER:
            return self.over(request)
        except GatehouseError as error:
            form = CodeStepForm({})
            refuse(form, error)
            return self._ask(request, given, form, error=error)
        wait = sent.resend_in if isinstance(sent, SentCode) else 0
        return self._turn_to(request, replace(given, resend_at=self.resend_at(wait)))

    def _ask(
        self, request: HttpRequest, given: StepMemory, form: CodeStepForm, *, error: GatehouseError | None = None
    ) -> HttpResponse:
        challenge = self.open(given.session_token)
        if challenge is None:
            return self.over(request)
        if challenge.missing.enrol:
            return self.go_to_step(request, self.steps.enrol, given)
        methods = challenge.missing.methods
        method = given.method if given.method in methods else next(iter(methods), "")
        facts = self._facts(challenge, replace(given, method=method), form)
        return self.show(request, error=error, **facts)

    def _facts(self, challenge: OpenChallenge, given: StepMemory, form: CodeStepForm) -> dict[str, Any]:
        method = given.method
        return {
            "form": self._with_keyboard(form, method),
            "given": given,
            "must_be_sent": method in SENT and given.resend_at == 0,
            "is_sent": method in SENT,
            "wait": self.wait_until(given.resend_at),
            "ways": [(name, texts.WAYS[name]) for name in challenge.missing.methods if name != method],
            "passkey_options": self._passkey_options(given) if method == PASSKEY else "",
            "number": enrolled.of(challenge.pending.user.id).phone_hint if method == SMS else "",
            "email": challenge.pending.user.email,
            "remember_days": self.customer.remember_device_days if method != RECOVERY_CODE else 0,
        }

    def _with_keyboard(self, form: CodeStepForm, method: str) -> CodeStepForm:
        if method == RECOVERY_CODE:
            return form.with_letters()
        return form.for_codes_of(self.customer.code_alphabet) if method in SENT else form

    def _passkey_options(self, given: StepMemory) -> str:
        options = second_factor.send(self.asked(given))
        return passkey_options.as_json(options) if isinstance(options, Mapping) else ""

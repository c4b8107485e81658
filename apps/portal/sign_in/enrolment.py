"""Enrolling a second factor on the way in, where the customer demands one and the user has none."""

from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.core.errors import GatehouseError, ValidationFailed
from apps.factors.methods import PASSKEY, SMS, TOTP
from apps.otp.errors import ResendTooSoon
from apps.portal.form_page import focus_on_fault
from apps.portal.sign_in import passkey_options, texts
from apps.portal.sign_in.challenge_page import OVER, ChallengePage
from apps.portal.sign_in.forms import CodeStepForm, PhoneForm, refuse
from apps.portal.sign_in.memory import StepMemory
from apps.signin import second_factor

SHOWN, SHOWN_SECONDS = "gatehouse.enrolment", 10 * 60
LONGEST_SHOWN = 16 * 1024
HEADINGS = {TOTP: "app", SMS: "phone", PASSKEY: "passkey"}
CONFIRMED_BY_CODE = (TOTP, SMS)


class EnrolPage(ChallengePage):
    """Offers what may be enrolled, leads through it, and takes the first code."""

    template = "portal/sign_in/enrol.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self.memory.session_token:
            return self.send_to(request, self.steps.start)
        return self._offer(request, self.memory)

    def post(self, request: HttpRequest) -> HttpResponse:
        """`do`: "begin", "verify", or nothing to see the ways again."""
        given, what = self.given(request), request.POST.get("do", "")
        if what == "verify":
            return self.verify(request, given)
        return self._begin(request, given) if what == "begin" else self._offer(request, given)

    def ask_again(
        self, request: HttpRequest, given: StepMemory, form: CodeStepForm, error: GatehouseError
    ) -> HttpResponse:
        """What was shown before is shown again: a fresh secret would be another than the one in the app by now.

        A passkey's options are good once, so it begins anew.
        """
        if self.open(given.session_token) is None:
            return self.over(request)
        if given.method not in CONFIRMED_BY_CODE:
            return self._offer(request, given, error=error)
        shown = _shown_in(request)
        return (
            self._guide(request, given, shown, form, error=error) if shown else self._offer(request, given, error=error)
        )

    def _offer(self, request: HttpRequest, given: StepMemory, *, error: GatehouseError | None = None) -> HttpResponse:
        challenge = self.open(given.session_token)
        if challenge is None:
            return self.over(request)
        ways = [(name, texts.WAYS[name]) for name in challenge.missing.enrol]
        said = texts.explained(error) if error else ""
        return self.show(request, error=error, given=given, ways=ways, said=said)

    def _begin(self, request: HttpRequest, given: StepMemory) -> HttpResponse:
        phone = PhoneForm(request.POST if "phone" in request.POST else None)
        if given.method == SMS and not phone.is_valid():
            focus_on_fault(phone)
            fault = ValidationFailed() if phone.is_bound else None
            return self._show(request, "enrol_phone", given, form=phone, error=fault)
        try:
            found = second_factor.enrol(
                self.asked(given), phone=phone.cleaned_data["phone"] if given.method == SMS else ""
            )
        except OVER:
            return self.over(request)
        except ResendTooSoon as error:
            return self._refuse_phone(request, given, phone, error)
        except GatehouseError as error:
            is_phone = given.method == SMS
            return (
                self._refuse_phone(request, given, phone, error)
                if is_phone
                else self._offer(request, given, error=error)
            )
        return self._guide(request, given, _to_show(given.method, found), CodeStepForm())

    def _refuse_phone(
        self, request: HttpRequest, given: StepMemory, form: PhoneForm, error: GatehouseError
    ) -> HttpResponse:
        refuse(form, error)
        return self._show(request, "enrol_phone", given, form=form, error=error)

    def _guide(
        self,
        request: HttpRequest,
        given: StepMemory,
        shown: Mapping[str, Any],
        form: CodeStepForm,
        *,
        error: GatehouseError | None = None,
    ) -> HttpResponse:
        kept = signing.dumps(dict(shown), salt=SHOWN, compress=True)
        if given.method == SMS:
            form = form.for_codes_of(self.customer.code_alphabet)
        return self._show(
            request, f"enrol_{HEADINGS[given.method]}_code", given, form=form, shown=shown, kept=kept, error=error
        )

    def _show(self, request: HttpRequest, page: str, given: StepMemory, **facts: Any) -> HttpResponse:
        return self.show(request, f"portal/sign_in/{page}.html", given=given, **facts)


def _to_show(method: str, found: Mapping[str, Any]) -> dict[str, Any]:
    if method == PASSKEY:
        return {"options": passkey_options.as_json(found)}
    if method == SMS:
        return {"number": found["number"]}
    secret = found["secret"]
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return {"grouped": grouped, "uri": found["uri"], "qr_svg": found["qr_svg"]}


def _shown_in(request: HttpRequest) -> dict[str, Any] | None:
    """What this page has shown a moment ago. It is signed: nobody can have us show something else."""
    text = request.POST.get("kept", "")[:LONGEST_SHOWN]
    try:
        found: dict[str, Any] = signing.loads(text, salt=SHOWN, max_age=SHOWN_SECONDS)
    except signing.BadSignature:
        return None
    return found

"""What a browser remembers between two steps, so that a page can be loaded anew: phones drop pages while people read their mail.

A signed cookie of a few minutes. Forms bear the same in hidden fields, which go before it: two tabs do not disturb each other.
"""

from dataclasses import asdict, dataclass, field

from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.customers.state import CustomerState
from apps.portal import host_cookies

LIFETIME_SECONDS = 15 * 60


@dataclass(frozen=True)
class StepMemory:
    """`email`: as it was typed. `session_token`: of the challenge. `method`: of the second factor. `resend_at`: unix time."""

    email: str = ""
    session_token: str = field(default="", repr=False)
    method: str = ""
    resend_at: int = 0


def read(request: HttpRequest, customer: CustomerState) -> StepMemory:
    """Empty if there is none, or it is not ours."""
    try:
        kept = signing.loads(request.COOKIES.get(_name(customer), ""), salt=_salt(customer), max_age=LIFETIME_SECONDS)
        return StepMemory(**kept)
    except (signing.BadSignature, TypeError):
        return StepMemory()


def put(response: HttpResponseBase, memory: StepMemory, customer: CustomerState) -> None:
    value = signing.dumps(asdict(memory), salt=_salt(customer))
    _set(response, customer, value, LIFETIME_SECONDS)


def clear(response: HttpResponseBase, customer: CustomerState) -> None:
    _set(response, customer, "", 0)


def _set(response: HttpResponseBase, customer: CustomerState, value: str, max_age: int) -> None:
    host_cookies.put(response, _name(customer), value, max_age=max_age)


def _name(customer: CustomerState) -> str:
    return host_cookies.name_for("steps", customer.id)


def _salt(customer: CustomerState) -> str:
    return f"gatehouse.sign-in-steps/{customer.id}"

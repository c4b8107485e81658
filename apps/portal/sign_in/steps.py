"""The addresses of the steps. What the app has asked for stays in the query of each, and is checked anew each time."""

from dataclasses import dataclass

from django.http import HttpRequest

from apps.customers.state import CustomerState
from apps.portal import places


@dataclass(frozen=True)
class Steps:
    """The pages of one customer, with one query."""

    base: str
    query: str
    forgotten: str

    @classmethod
    def of(cls, request: HttpRequest, customer: CustomerState) -> "Steps":
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return cls(places.sign_in(customer), query, f"{places.account(customer)}/forgot-password{query}")

    @property
    def start(self) -> str:
        return f"{self.base}{self.query}"

    @property
    def code(self) -> str:
        return self._at("code")

    @property
    def password(self) -> str:
        return self._at("password")

    @property
    def passkey(self) -> str:
        return self._at("passkey")

    @property
    def second_factor(self) -> str:
        return self._at("second-factor")

    @property
    def enrol(self) -> str:
        return self._at("enrol")

    @property
    def register(self) -> str:
        return self._at("register")

    @property
    def verify_email(self) -> str:
        return self._at("verify-email")

    @property
    def go_on(self) -> str:
        return self._at("continue")

    def _at(self, step: str) -> str:
        return f"{self.base}/{step}{self.query}"

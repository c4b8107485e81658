"""Which envelope a view's bodies travel in."""

from enum import Enum


class Envelope(Enum):
    """TOKEN is what a view has unless it says otherwise: encrypted both ways under the access token (contract 2.2)."""

    TOKEN = "token"  # noqa: S105  (a name, not a secret)
    SERVICE = "service"  # requests encrypted to the service, answers plain (2.1)
    PLAIN = "plain"  # JSON as it is
    FORM = "form"  # forms and errors as OAuth's client libraries know them (RFC 6749)

"""Which errors a call may be refused with, said where it is refused, so that the schema can tell (apps.api.schema.operations).

Views say it of each method with `refuses_with`. Authentication and permission classes say it in an attribute `refusals`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from apps.core.errors import GatehouseError

Refusals = tuple[type[GatehouseError], ...]
Method = TypeVar("Method", bound=Callable[..., Any])


def refuses_with(*errors: type[GatehouseError]) -> Callable[[Method], Method]:
    """For a method of a view: the errors it may answer with, beside those of its envelope, authentication and permissions."""

    def decorate(method: Method) -> Method:
        method.refusals = errors  # type: ignore[attr-defined]
        return method

    return decorate


def of(place: object) -> Refusals:
    """What has been said of a method or a class; nothing if it says nothing."""
    said: Refusals = getattr(place, "refusals", ())
    return said

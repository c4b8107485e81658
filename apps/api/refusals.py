"""Which errors a call may be refused with, declared where it is refused, so that the schema can list them (apps.api.schema).

Views declare them for each method with `refuses_with`. Authentication and permission classes have an attribute `refusals`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from apps.core.errors import GatehouseError

Refusals = tuple[type[GatehouseError], ...]
Method = TypeVar("Method", bound=Callable[..., Any])

ATTRIBUTE = "refusals"


def refuses_with(*errors: type[GatehouseError]) -> Callable[[Method], Method]:
    """For a method of a view: the errors it may answer with, beside those of its envelope, authentication and permissions."""

    def decorate(method: Method) -> Method:
        setattr(method, ATTRIBUTE, errors)
        return method

    return decorate


def of(place: object) -> Refusals:
    """What a method or a class declares, if anything."""
    declared: Refusals = getattr(place, ATTRIBUTE, ())
    return declared

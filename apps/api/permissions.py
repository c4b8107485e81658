"""Which signed-in users may use an endpoint, in sentences: `permission_classes = [HasRole("admin") | HasPermission("users.read")]`.

What counts is what the user may do at this moment, never what the token says (contract 3.3).
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from rest_framework.permissions import AND, OR, BasePermission, OperandHolder
from rest_framework.request import Request

from apps.api import refusals
from apps.api.authentication.principal import principal_of, require_fresh_proof
from apps.api.refusals import refuses_with
from apps.core.errors import PermissionDenied
from apps.core.requests import context_of
from apps.tokens import refused_rights, role_escalation
from apps.tokens.errors import InsufficientUserAuthentication
from apps.users.models import BuiltInRole
from apps.users.state import UserState

if TYPE_CHECKING:  # importing it here would be a circle: DRF imports its default permissions first
    from rest_framework.views import APIView

Method = TypeVar("Method", bound=Callable[..., Any])


class IsSignedIn(BasePermission):
    """What every view asks for unless it says otherwise."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        principal_of(request)
        return True


class Requirement(BasePermission):
    """Something that an active, signed-in user must have. Instances name what they ask for, and are joined by `&` and `|`.

    There is no `~`: say who may, not who may not.
    """

    roles: frozenset[str] = frozenset()  # that meet it, alone or with something else

    def met_by(self, user: UserState) -> bool:
        raise NotImplementedError

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raises AuthenticationRequired if nobody is signed in: only somebody can be refused a right."""
        user = principal_of(request).user
        met = user.is_active and self.met_by(user)
        if not met and BuiltInRole.ADMIN in self.roles and user.role != BuiltInRole.ADMIN:
            role_escalation.report(user, wanted=BuiltInRole.ADMIN, context=context_of(request))
        elif not met:
            refused_rights.record(user, context_of(request))
        return met

    def __call__(self) -> Self:
        """DRF calls each of a view's permission classes to get an instance; this is one already."""
        return self

    def __and__(self, other: Any) -> Any:
        return AllOf(self, other) if isinstance(other, Requirement) else _joined(AND, self, other)

    def __or__(self, other: Any) -> Any:
        """Other kinds of permission are asked first: a refusal here is then final, and worth an event."""
        return AnyOf(self, other) if isinstance(other, Requirement) else _joined(OR, other, self)


class HasRole(Requirement):
    """If the role is `admin`, a refusal is a security event, too (contract 4)."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.roles = frozenset({role})

    def met_by(self, user: UserState) -> bool:
        return user.role == self.role


class HasPermission(Requirement):
    """The permission comes with the user's role, or was given to the user."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    def met_by(self, user: UserState) -> bool:
        return self.permission in user.permissions


class AllOf(Requirement):
    def __init__(self, *parts: Requirement) -> None:
        self.parts = parts
        self.roles = frozenset[str]().union(*(part.roles for part in parts))

    def met_by(self, user: UserState) -> bool:
        return all(part.met_by(user) for part in self.parts)


class AnyOf(AllOf):
    def met_by(self, user: UserState) -> bool:
        return any(part.met_by(user) for part in self.parts)


def requires(requirement: Requirement) -> Callable[[Method], Method]:
    """For one method of a view: users who do not meet the requirement are refused before it begins."""

    def decorate(method: Method) -> Method:
        @wraps(method)
        def checked(view: "APIView", request: Request, *args: Any, **kwargs: Any) -> Any:
            if not requirement.has_permission(request, view):
                raise PermissionDenied
            return method(view, request, *args, **kwargs)

        return cast("Method", checked)

    return decorate


def requires_role(role: str) -> Callable[[Method], Method]:
    """`@requires_role("admin")`"""
    return requires(HasRole(role))


def requires_permission(permission: str) -> Callable[[Method], Method]:
    """`@requires_permission("invoices.read")`"""
    return requires(HasPermission(permission))


def needs_fresh_proof(method: Method) -> Method:
    """For one method of a view that changes an account's credentials, or ends the account (contract 3.10).

    Write it above `refuses_with`: it adds its own refusal to that list.
    """

    @wraps(method)
    def checked(view: "APIView", request: Request, *args: Any, **kwargs: Any) -> Any:
        require_fresh_proof(request)
        return method(view, request, *args, **kwargs)

    return refuses_with(*refusals.of(method), InsufficientUserAuthentication)(cast("Method", checked))


def _joined(operator: Any, left: Any, right: Any) -> OperandHolder:
    """As DRF joins permission classes. Instances work as well, but its types do not say so."""
    return OperandHolder(operator, left, right)

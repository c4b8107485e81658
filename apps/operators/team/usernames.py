"""Operators' user names: `Admin` and `admin` are one operator, at sign-in and in the database."""

import unicodedata
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import HttpRequest

from apps.operators.team import operator_lookup, roles, scope


def plain(name: str) -> str:
    """The one spelling under which attempts are counted: NFKC, as Django keeps names, without case.

    `İ` is replaced by hand: PostgreSQL's lower case of it is `i`, and Python's is two characters.
    """
    return unicodedata.normalize("NFKC", name.strip()).replace("\u0130", "i").casefold()


def find(name: str) -> User | None:
    """The operator of this name. PostgreSQL lowers the case, as it does for the unique index."""
    written = Value(unicodedata.normalize("NFKC", name))
    return User.objects.annotate(lowered=Lower("username")).filter(lowered=Lower(written)).first()


def find_by_address(address: str) -> User | None:
    """The operator of this name, or the one whose mail goes to this address."""
    named = find(address)
    if named is not None:
        return named
    written = Value(unicodedata.normalize("NFKC", address))
    found = User.objects.annotate(lowered=Lower("email")).filter(lowered=Lower(written))[:2]
    return found[0] if len(found) == 1 else None


class OperatorBackend(ModelBackend):
    """Finds operators by their name in any case, and asks their role what they may do."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **options: Any
    ) -> Any:
        """Django's own takes the same time for a name that nobody has, or that is inactive."""
        if not settings.OPERATOR_PASSWORD_SIGN_IN:
            return None
        operator = find(username) if username is not None else None
        known = operator.get_username() if operator else username
        return super().authenticate(request, username=known, password=password, **options)

    def get_user(self, user_id: int) -> User | None:
        operator = operator_lookup.find(user_id)
        return operator if operator is not None and self.user_can_authenticate(operator) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> Any:
        """`has_perm` asks here; with a row, whether the operator may do it there."""
        if not user_obj.is_active or (obj is not None and not scope.of_operator(user_obj).holds(obj)):
            return frozenset()
        if roles.has_single_rights(user_obj):
            return super().get_all_permissions(user_obj)
        return roles.permissions_of(user_obj)

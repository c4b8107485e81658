"""Operators' user names: `Admin` and `admin` are one operator, at sign-in and in the database."""

import unicodedata
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import HttpRequest


def plain(name: str) -> str:
    """The one spelling under which attempts are counted: NFKC, as Django keeps names, without case.

    `İ` is replaced by hand: PostgreSQL's lower case of it is `i`, and Python's is two characters.
    """
    return unicodedata.normalize("NFKC", name.strip()).replace("\u0130", "i").casefold()


def find(name: str) -> User | None:
    """The operator of this name. PostgreSQL lowers the case, as it does for the unique index."""
    written = Value(unicodedata.normalize("NFKC", name))
    return User.objects.annotate(lowered=Lower("username")).filter(lowered=Lower(written)).first()


class OperatorBackend(ModelBackend):
    """Finds operators by their name in any case."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **options: Any
    ) -> Any:
        """Django's own takes the same time for a name that nobody has, or that is inactive."""
        operator = find(username) if username is not None else None
        known = operator.get_username() if operator else username
        return super().authenticate(request, username=known, password=password, **options)

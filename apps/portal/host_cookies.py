"""Cookies of the hosted pages: one for each customer, so that several in one browser do not disturb each other."""

from datetime import timedelta
from uuid import UUID

from django.http.response import HttpResponseBase

DIGITS = 12  # of an id, in a cookie's name


def name_for(kind: str, customer_id: UUID) -> str:
    """`__Host-`: a browser takes it only if it is Secure, of this very host, and for all its paths."""
    return f"__Host-gatehouse_{kind}_{customer_id.hex[:DIGITS]}"


def put(response: HttpResponseBase, name: str, value: str, *, max_age: int | timedelta) -> None:
    """No script reads it. Lax: it comes along when an app sends the user here, and with no other site's form."""
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax")

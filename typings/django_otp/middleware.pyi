from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.response import HttpResponseBase

def is_verified(user: User | AnonymousUser) -> bool: ...

class OTPMiddleware:
    get_response: Callable[[HttpRequest], HttpResponseBase]
    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None: ...
    def __call__(self, request: HttpRequest) -> HttpResponseBase: ...

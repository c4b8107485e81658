"""Operators, and browsers in which they are signed in."""

from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "correct horse battery staple"
LOGIN = "/admin/login/"
AS_AUDITOR = {"role": "auditor", "reach": "all"}  # of the form that invites


def operator(name: str = "ops@example.com", **facts: object) -> User:
    return User.objects.create_user(name, name, PASSWORD, **{"is_staff": True, "is_superuser": True, **facts})  # type: ignore[arg-type]


def sign_in(name: str = "ops@example.com", password: str = PASSWORD, code: str = "", ip: str = "192.0.2.1") -> Client:
    browser = Client(REMOTE_ADDR=ip)
    browser.post(LOGIN, {"username": name, "password": password, "code": code, "next": "/admin/"})
    return browser


def signed_in(operator: User) -> Client:
    """Without the page: for tests that are not about signing in."""
    browser = Client()
    browser.force_login(operator)
    return browser


def is_in(browser: Client) -> bool:
    """Asked by the page that costs least; the overview takes four times as long."""
    return browser.get("/admin/search/").status_code == 200

"""Reading a user's page, and answering what its actions ask."""

from django.test import Client

from apps.users.models import User


def page_of(user: User, name: str) -> str:
    return f"/admin/users/user/{user.id}/{name}/"


def shown(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def doing(browser: Client, user: User, name: str, **facts: str) -> str:
    """What the operator reads after the answer."""
    answer = browser.post(page_of(user, name), {"confirmed": "yes", **facts}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()

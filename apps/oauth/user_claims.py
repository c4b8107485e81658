"""What a client learns about a user, by the scopes that it was granted (OpenID Connect Core section 5.4)."""

from collections.abc import Collection
from typing import Any

from apps.oauth.scopes import EMAIL, PROFILE
from apps.users.state import UserState

ALL = ("sub", "name", "locale", "email", "email_verified")


def of(user: UserState, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about the user as it is now. What is not known is left out (section 5.3.2)."""
    profile = {"name": user.name, "locale": user.locale} if PROFILE in scopes else {}
    email = {"email": user.email, "email_verified": user.email_verified} if EMAIL in scopes else {}
    return {"sub": str(user.id), **{name: text for name, text in profile.items() if text}, **email}

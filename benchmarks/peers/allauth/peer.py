"""django-allauth headless, as the jobs measure it. A session begins when a code is asked for, and holds the code."""

from collections.abc import Iterator
from typing import Any

from django.core import signing

from benchmarks.bare.startproject import SECRET_KEY
from benchmarks.load import request
from benchmarks.peers.json_requests import post
from benchmarks.peers.python_peer import DjangoPeer

SALT = "django.contrib.sessions.SessionStore"


class Allauth(DjangoPeer):
    name = "allauth"
    package = "django-allauth"
    title = "django-allauth headless: session in SQL"
    asked_status = 401  # "not signed in yet", with a session that waits for the code

    def asking(self, address: str) -> bytes:
        return post("/_allauth/app/v1/auth/code/request", {"email": address})

    def redeeming(self) -> Iterator[bytes]:
        for token, session in self.sessions():
            if "account_login" in session:
                headers = {"X-Session-Token": token}
                body = {"code": code_in(session)}
                yield post("/_allauth/app/v1/auth/code/confirm", body, headers=headers)

    def questions(self) -> Iterator[bytes]:
        for token in self.tokens():
            yield request("GET", "/_allauth/app/v1/auth/session", headers={"X-Session-Token": token})

    def signed_in(self) -> int:
        return len(self.tokens())

    def tokens(self) -> list[str]:
        return [token for token, session in self.sessions() if "_auth_user_id" in session]

    def sessions(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Token and content of each, as Django keeps sessions: JSON, signed."""
        for token, data in self.rows("SELECT session_key, session_data FROM django_session"):
            yield token, signing.loads(data, key=SECRET_KEY, salt=SALT, fallback_keys=[])


def code_in(session: dict[str, Any]) -> str:
    return str(session["account_login"]["state"]["stages"]["login_by_code"]["data"]["code"])

"""fastapi-users, as the jobs measure it. It has no codes: it mails a token that verifies an address and signs nobody in."""

import time
from collections.abc import Iterator

import jwt

from benchmarks.bare.startproject import SECRET_KEY
from benchmarks.load import request
from benchmarks.peers.json_requests import post
from benchmarks.peers.python_peer import PythonPeer

LIFETIME_SECONDS = 3600


class FastapiUsers(PythonPeer):
    name = "fastapi_users"
    package = "fastapi-users"
    title = "fastapi-users: JWT, and the user in SQL"
    target = "benchmarks.peers.fastapi_users.application:application"
    interface = "asgi"
    what = "token"
    sign_in = "address verified by a mailed JWT (it has no codes)"
    is_by_code = False
    asked_status = 202

    def asking(self, address: str) -> bytes:
        return post("/auth/request-verify-token", {"email": address})

    def redeeming(self) -> Iterator[bytes]:
        """Nothing is stored: what was mailed is made once more, from the user's row."""
        unverified = dict(self.rows('SELECT email, id::text FROM "user" WHERE NOT is_verified'))
        for address in self.asked:
            token = signed({"sub": unverified[address], "email": address, "aud": "fastapi-users:verify"})
            yield post("/auth/verify", {"token": token})

    def questions(self) -> Iterator[bytes]:
        for (user,) in self.rows('SELECT id::text FROM "user" WHERE is_verified'):
            token = signed({"sub": user, "aud": ["fastapi-users:auth"]})
            yield request("GET", "/users/me", headers={"Authorization": f"Bearer {token}"})

    def signed_in(self) -> int:
        return self.number('SELECT count(*) FROM "user" WHERE is_verified')


def signed(claims: dict[str, object]) -> str:
    """As the library signs what it mails, and what it gives out at sign-in."""
    return jwt.encode({**claims, "exp": int(time.time()) + LIFETIME_SECONDS}, SECRET_KEY, "HS256")

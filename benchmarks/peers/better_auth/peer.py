"""better-auth, as the jobs measure it. Codes and sessions are rows; a session's token is a signed cookie."""

import base64
import hmac
from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.bare.startproject import SECRET_KEY
from benchmarks.load import request
from benchmarks.peers.json_requests import post
from benchmarks.peers.node_peer import NodePeer

PREFIX = "sign-in-otp-"


class BetterAuth(NodePeer):
    name = "better_auth"
    package = "better-auth"
    title = "better-auth on Node: session in SQL"

    def asking(self, address: str) -> bytes:
        body = {"email": address, "type": "sign-in"}
        return post("/api/auth/email-otp/send-verification-otp", body)

    def redeeming(self) -> Iterator[bytes]:
        """A row's value is the code and the number of wrong tries, as in 123456:0."""
        for identifier, value in self.rows("SELECT identifier, value FROM verification"):
            body = {"email": identifier.removeprefix(PREFIX), "otp": value.partition(":")[0]}
            yield post("/api/auth/sign-in/email-otp", body)

    def questions(self) -> Iterator[bytes]:
        for (token,) in self.rows("SELECT token FROM session"):
            yield request("GET", "/api/auth/get-session", headers={"Cookie": cookie(token)})

    def signed_in(self) -> int:
        return self.number("SELECT count(*) FROM session")


def cookie(token: str) -> str:
    """A session's token with its HMAC, as better-auth sets it at sign-in."""
    signature = base64.b64encode(hmac.digest(SECRET_KEY.encode(), token.encode(), "sha256")).decode()
    return f"better-auth.session_token={quote(f'{token}.{signature}', safe='')}"

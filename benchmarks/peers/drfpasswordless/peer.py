"""drfpasswordless, as the jobs measure it. A user's token stays the same: who signs in again gets it again."""

from collections.abc import Iterator

from benchmarks.load import request
from benchmarks.peers.json_requests import post
from benchmarks.peers.python_peer import DjangoPeer

# A code stays "active" when it has been used, until its user asks for the next one.
WAITING = """
    SELECT to_alias, key FROM drfpasswordless_callbacktoken
    WHERE is_active AND user_id NOT IN (SELECT user_id FROM authtoken_token)
"""


class Drfpasswordless(DjangoPeer):
    name = "drfpasswordless"
    package = "drfpasswordless"
    title = "drfpasswordless: DRF's token"

    def asking(self, address: str) -> bytes:
        return post("/auth/email/", {"email": address})

    def redeeming(self) -> Iterator[bytes]:
        for address, code in self.rows(WAITING):
            yield post("/auth/token/", {"email": address, "token": code})

    def questions(self) -> Iterator[bytes]:
        for (key,) in self.rows("SELECT key FROM authtoken_token"):
            yield request("GET", "/me/", headers={"Authorization": f"Token {key}"})

    def signed_in(self) -> int:
        return self.number("SELECT count(*) FROM authtoken_token")

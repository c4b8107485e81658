"""dj-rest-auth, as the jobs measure it. It knows no codes: users sign in by password, whose hash decides the cost."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.load import Requests, request
from benchmarks.peers.json_requests import post
from benchmarks.peers.people import MOST_PASSWORDS, PASSWORD
from benchmarks.peers.python_peer import DjangoPeer
from benchmarks.subject import Phase


class DjRestAuth(DjangoPeer):
    name = "dj_rest_auth"
    package = "dj-rest-auth"
    title = "dj-rest-auth: DRF's token"
    sign_in = "signed in by password, whose hash costs most (it has no codes)"
    is_by_code = False

    def phases(self) -> Sequence[Phase]:
        return (Phase("password in", self._sign_in, self._check),)

    def asking(self, address: str) -> bytes:
        raise NotImplementedError(self.sign_in)

    def redeeming(self) -> Iterator[bytes]:
        for (name,) in self.rows("SELECT username FROM auth_user WHERE last_login IS NULL"):
            yield post("/dj-rest-auth/login/", {"username": name, "password": PASSWORD})

    def questions(self) -> Iterator[bytes]:
        for (key,) in self.rows("SELECT key FROM authtoken_token"):
            yield request("GET", "/dj-rest-auth/user/", headers={"Authorization": f"Token {key}"})

    def signed_in(self) -> int:
        return self.number("SELECT count(*) FROM auth_user WHERE last_login IS NOT NULL")

    def _sign_in(self, count: int, _answers: Path | None) -> Requests:
        self.before, number = self.signed_in(), min(count, MOST_PASSWORDS)
        return self.once("sign in", list(islice(self.redeeming(), number)), number)

    def _check(self, count: int) -> None:
        self.expect(min(count, MOST_PASSWORDS), self.signed_in() - self.before, "users have signed in")

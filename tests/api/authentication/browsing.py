"""A browser in cookie mode: tabs that share one jar of cookies, and see no token."""

from base64 import urlsafe_b64decode
from http.cookies import Morsel, SimpleCookie
from typing import Any

from demo.client import Answer, Client, TokenKeys, envelope
from tests.otp.reading import newest_code

ORIGIN = "https://app.example.com"
ACCESS, REFRESH = "__Host-gatehouse_access", "__Secure-gatehouse_refresh"
ME, LOGOUT, REFRESHING, COOKIE_SESSION = (f"/api/auth/{name}" for name in ("me", "logout", "refresh", "cookie-session"))
COOKIE_PATHS = {ACCESS: "/", REFRESH: "/api/auth"}


class Browser:
    """A tab: it keeps what the page was given, and shares its cookies with other tabs."""

    def __init__(self, client: Client, cookies: dict[str, str] | None = None) -> None:
        self.client = client
        self.cookies: dict[str, str] = {} if cookies is None else cookies
        self.attributes: SimpleCookie = SimpleCookie()
        self.page: dict[str, Any] = {}

    def new_tab(self) -> "Browser":
        return Browser(self.client, self.cookies)

    def sign_in(self) -> Answer:
        self.client.request_otp("ada@example.com")
        return self.keep(self.client.verify_otp("ada@example.com", newest_code(), delivery="cookie"))

    def keep(self, answer: Answer) -> Answer:
        """Take in what an answer brings: cookies for all tabs, and what the page has to remember."""
        self.attributes = SimpleCookie()
        for line in answer.headers.get("set-cookie", "").splitlines():
            self.attributes.load(line.strip())
        for name, morsel in self.attributes.items():
            self.store(name, morsel)
        if isinstance(answer.document, dict) and "payload_key" in answer.document:
            self.page = answer.document
        return answer

    def store(self, name: str, morsel: "Morsel[str]") -> None:
        self.cookies[name] = morsel.value

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        """With the cookies, and encrypted under the key that the page was given."""
        keys = self.keys
        body = (
            b"" if document is None or keys is None else envelope(keys.seal(document, info=f"request {method} {path}"))
        )
        sent = {"Cookie": self._cookies_for(path), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.call(method, path, body, headers=sent, keys=keys)

    def resume(self, **headers: str) -> Answer:
        """As a page does that was just loaded."""
        return self.keep(self.call("GET", COOKIE_SESSION, **(headers or {"Origin": ORIGIN})))

    def refresh(self) -> Answer:
        return self.keep(self.call("POST", REFRESHING, **self.proof))

    @property
    def keys(self) -> TokenKeys | None:
        if not self.page:
            return None
        prk = urlsafe_b64decode(self.page["payload_key"] + "=")
        return TokenKeys(prk=prk, kid=self.page["payload_kid"])

    @property
    def proof(self) -> dict[str, str]:
        return {"X_CSRF_Token": self.page["csrf_token"], "Origin": ORIGIN}

    def _cookies_for(self, path: str) -> str:
        sent = {name: value for name, value in self.cookies.items() if path.startswith(COOKIE_PATHS[name])}
        return "; ".join(f"{name}={value}" for name, value in sent.items())

"""An app's server or page at the token endpoint: forms, over the whole stack but the server."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

from apps.customers.models import Customer
from apps.oauth import authorization
from apps.oauth.models import RegisteredClient
from apps.tokens.minting import TokenPair
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import over_django
from tests.contract.documented import CheckedClient
from tests.oauth.authorizing import VERIFIER, parsed, query_of

FORM = "application/x-www-form-urlencoded"


def anybody(*, ip: str = "192.0.2.7", **headers: str) -> Client:
    """Calls without an API key. Every answer is held against the schema."""
    return CheckedClient(send=over_django(REMOTE_ADDR=ip), headers=headers)


def hosted(user: User, **facts: Any) -> TokenPair:
    """A session at the hosted pages."""
    return factories.session(user, delivery="hosted", **facts)


def code_for(client: RegisteredClient, user: User, *, session: TokenPair | None = None, **changes: Any) -> str:
    """A code that the user has just granted to the client."""
    customer = Customer.objects.get(id=client.customer_id)
    request = parsed(client, customer, **changes)
    where = session or hosted(user)
    address = authorization.grant(request, session_id=where.session_id, context=factories.context())
    return query_of(address)["code"]


def post(path: str, form: Any, *, headers: dict[str, str] | None = None, ip: str = "192.0.2.7") -> Answer:
    sent = {"Content-Type": FORM, **(headers or {})}
    return anybody(ip=ip).call("POST", path, urlencode(form).encode(), headers=sent)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """As RFC 6749 section 2.3.1 says: percent-encoded, then joined."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def exchange(
    client: RegisteredClient, right: str, /, *, headers: dict[str, str] | None = None, **changes: Any
) -> Answer:
    """A change to None leaves a parameter out."""
    usual = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "code": right,
        "code_verifier": VERIFIER,
        "redirect_uri": factories.REDIRECT_URI,
    }
    form = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return post("/api/oauth/token", form, headers=headers)


def refresh(client: RegisteredClient, refresh_token: str, **changes: Any) -> Answer:
    form = {"grant_type": "refresh_token", "client_id": client.client_id, "refresh_token": refresh_token, **changes}
    return post("/api/oauth/token", form)


def signed_in(client: RegisteredClient, user: User, **changes: Any) -> dict[str, Any]:
    """The token answer of a whole journey."""
    answer = exchange(client, code_for(client, user, **changes))
    assert answer.status == 200, answer.document
    document: dict[str, Any] = answer.document
    return document


def userinfo(access_token: str, method: str = "GET") -> Answer:
    headers = {"Authorization": f"Bearer {access_token}"}
    return anybody().call(method, "/api/oauth/userinfo", headers=headers)

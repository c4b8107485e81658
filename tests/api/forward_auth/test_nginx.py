"""The example for nginx, run: Debian's nginx, granian, and an app behind them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.customers.models import Customer
from apps.users.models import User
from demo.client import Client, over_http
from tests import factories
from tests.api.authentication.browsing import ACCESS, ORIGIN
from tests.api.forward_auth import nginx
from tests.api.forward_auth.asking import CUSTOMER, PERMISSIONS, ROLE, TOLD, USER
from tests.api.forward_auth.nginx import Front
from tests.running import Server
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MADE_UP = "11111111-1111-7111-8111-111111111111"
LARGE = b"x" * 700_000  # nginx takes 1 MB where nobody says otherwise


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server(TRUSTED_PROXIES="127.0.0.1")
    try:
        wait_until(started.answers)
        yield started
    finally:
        started.stop()


@pytest.fixture
def acme() -> Customer:
    """The customer of the example."""
    customer = factories.customer(slug="acme", allowed_origins=[ORIGIN])
    factories.role(customer, "clerk", "invoices.read")
    return customer


def bearer(of: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {factories.session(of).access}"}


def test_nginx_lets_in_whom_gatehouse_lets_in(server: Server, acme: Customer, tmp_path: Path) -> None:
    if nginx.program() is None and not os.environ.get("CI"):
        pytest.skip("nginx is not installed (apt install nginx)")
    with nginx.front(tmp_path, gatehouse=server.port, changes={"auth.example.com": "127.0.0.1"}) as front:
        lets_in_and_says_who_it_is(front, acme)
        leaves_one_line_in_the_log(front, acme, server)
        refuses(front, acme)
        overwrites_what_clients_make_up(front, acme)
        lets_bodies_and_websockets_through(front, acme)
        keeps_the_rule_of_cookies(front, acme)
        refuses_a_session_that_has_ended(front, acme, server)


def lets_in_and_says_who_it_is(front: Front, acme: Customer) -> None:
    clerk = factories.user(acme, "clerk@example.com", role="clerk")
    seen = front.ask("/invoices?page=2&customer=other", **bearer(clerk))
    expected = {USER: str(clerk.id), CUSTOMER: str(acme.id), ROLE: "clerk", PERMISSIONS: "invoices.read"}
    assert {name: seen.header_at_app(name) for name in TOLD} == {name: [value] for name, value in expected.items()}
    assert seen.header_at_app("Authorization") == [], "the app needs no token"
    assert front.ask(method="HEAD", **bearer(clerk)).status == 200


def leaves_one_line_in_the_log(front: Front, acme: Customer, server: Server) -> None:
    """Without the token and without the query."""
    clerk = bearer(factories.user(acme, "logged@example.com", role="clerk"))
    for headers, status in ((clerk, 204), ({}, 401)):
        request_id = f"one-line-of-the-log-{status}"
        front.ask(**headers, X_Request_ID=request_id)
        wait_until(lambda: request_id in server.told())  # noqa: B023  (lines are written together, a little late)
        (line,) = [json.loads(line) for line in server.told().splitlines() if request_id in line]
        facts = {"method": "GET", "path": "/verify", "status": status, "ip": "127.0.0.1", "event": "request_finished"}
        assert facts.items() <= line.items()
        assert not [text for text in ("eyJ", "acme") if text in str(line)]


def refuses(front: Front, acme: Customer) -> None:
    nobody = front.ask()
    assert (nobody.status, nobody.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert front.ask(Authorization="Bearer x").status == 401
    guest = factories.user(acme, "guest@example.com")
    assert front.ask(**bearer(guest)).status == 403
    stranger = factories.user(factories.customer(), "eve@example.com")
    assert front.ask(**bearer(stranger)).status == 401
    key = factories.api_key(Customer.objects.get(id=stranger.customer_id))[1]
    assert front.ask(**bearer(stranger), X_OTP_API_Key=key).status == 401
    for path in ("/gatehouse/invoices", "/%67atehouse/invoices", "//gatehouse/./invoices"):
        assert front.ask(path, **bearer(stranger)).status in (401, 404), "nobody asks there from outside"


def overwrites_what_clients_make_up(front: Front, acme: Customer) -> None:
    """Under each name that an app might take for ours: CGI, WSGI and PHP make `_` of every other character."""
    clerk = factories.user(acme, "second@example.com", role="clerk")
    token = bearer(clerk)["Authorization"]
    for name in (USER, USER.lower(), "X_Gatehouse_User", "X-Gatehouse_User", "X.Gatehouse.User"):
        seen = front.ask_raw("/", [("Authorization", token), (name, MADE_UP), (name, MADE_UP)])
        assert seen.header_at_app(USER) == [str(clerk.id)], name
        assert MADE_UP not in str(seen.app_got)
    plain = factories.user(acme, "plain@example.com", permissions=["invoices.read"])
    seen = front.ask(**bearer(plain), X_Gatehouse_Permissions="everything", X_Gatehouse_Role="admin")
    assert (seen.header_at_app(ROLE), seen.header_at_app(PERMISSIONS)) == (["company_user"], ["invoices.read"])
    two = front.ask_raw("/", [("Authorization", token), ("Authorization", "Basic YTpi")])
    assert two.status in (400, 401), "nginx itself refuses two, or Gatehouse does"


def lets_bodies_and_websockets_through(front: Front, acme: Customer) -> None:
    clerk = bearer(factories.user(acme, "third@example.com", role="clerk"))
    seen = front.ask("/upload", method="POST", body=LARGE, **clerk)
    assert (seen.app_got["method"], seen.app_got["bytes"]) == ("POST", len(LARGE))
    assert front.ask("/upload", method="POST", body=LARGE).status == 401
    with front.handshake(f"Authorization: {clerk['Authorization']}") as opened:
        assert opened.recv(4096).startswith(b"HTTP/1.1 101 ")
        opened.sendall(b"hello")
        assert opened.recv(4096).endswith(b"hello")
    with front.handshake() as opened:
        assert opened.recv(4096).startswith(b"HTTP/1.1 401 ")


def keeps_the_rule_of_cookies(front: Front, acme: Customer) -> None:
    """C3.8: nginx asks by GET; what the client's method is must be seen all the same."""
    pair = factories.session(factories.user(acme, "fourth@example.com", role="clerk"), delivery="cookie")
    cookie = {"Cookie": f"{ACCESS}={pair.access}"}
    assert front.ask(**cookie).status == 200
    assert front.ask(method="POST", **cookie).status == 403
    assert front.ask(method="POST", X_Forwarded_Method="GET", X_Original_Method="GET", **cookie).status == 403
    assert front.ask(**cookie, Origin="https://evil.example").status == 403


def refuses_a_session_that_has_ended(front: Front, acme: Customer, server: Server) -> None:
    """C3.4: at the very next request."""
    token = factories.session(factories.user(acme, "fifth@example.com", role="clerk")).access
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(3):
        assert front.ask(**headers).status == 200
    client = Client(send=over_http(f"http://127.0.0.1:{server.port}"))
    assert client.post("/api/auth/logout", {}, token=token).status == 200
    assert front.ask(**headers).status == 401

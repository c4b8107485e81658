"""Redirect addresses: what a client may register, and what fits a registered one."""

import pytest
from django.core.exceptions import ValidationError

from apps.oauth import redirect_addresses
from apps.oauth.redirect_addresses import is_registered, validate_addresses, validate_redirect_addresses

GOOD = [
    "https://app.example.com/callback",
    "https://app.example.com",
    "https://app.example.com:8443/callback?tenant=7",
    "https://xn--strae-oqa.example/cb",
    "https://192.0.2.7/cb",
    "http://localhost/callback",
    "http://localhost:3000/callback",
    "http://127.0.0.1:5173/",
    "http://[::1]:8080/cb",
    "com.example.app:/callback",
    "com.example.app://callback",
]
BAD = [
    "",
    "/callback",
    "//evil.example/cb",
    "app.example.com/cb",
    "http://app.example.com/callback",  # anybody on the way reads the code
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.2/cb",
    "https://app.example.com/callback#fragment",
    "https://app.example.com/callback#",
    "https://*.example.com/callback",
    "https://app.example.com/*",
    "https://user@app.example.com/cb",
    "https://app.example.com@evil.example/cb",
    "http://localhost@evil.example/cb",
    "https://app.example.com\\@evil.example/cb",
    "https://app.example.com/a/../b",
    "https://app.example.com/a/%2e%2E/b",
    "https://App.example.com/cb",  # browsers send it in lower case
    "HTTPS://app.example.com/cb",
    "https://app.example.com:0/cb",
    "https://app.example.com:99999/cb",
    "https://app.example.com/ callback",
    "https://app.example.com/\ncallback",
    "https://app.example.com/b\u00fcro",
    "https://app.example.com/cb?code=mine",
    "https://app.example.com/cb?a=b&state=",
    "https://",
    "https:///cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "myapp:/callback",  # without a dot, anybody's
    "urn:ietf:wg:oauth:2.0:oob",
    "https://app.example.com/" + 1000 * "a",
    7,
    None,
]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_only_the_app_receives_can_be_registered(address: str) -> None:
    """C4 (hosted sign-in)"""
    validate_redirect_addresses([address])
    assert is_registered(address, [address])


@pytest.mark.parametrize("address", BAD)
def test_any_other_address_cannot(address: object) -> None:
    with pytest.raises(ValidationError):
        validate_redirect_addresses([address])


def test_a_client_has_a_list_of_at_least_one_address() -> None:
    validate_addresses([])
    for wrong in ([], "https://app.example.com/cb", {"a": 1}, None, 51 * ["https://app.example.com/cb"]):
        with pytest.raises(ValidationError):
            validate_redirect_addresses(wrong)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("https://app.example.com/callback", True),
        ("https://app.example.com/callback/", False),
        ("https://app.example.com/Callback", False),
        ("https://app.example.com/callback?a=b", False),
        ("https://app.example.com/callback#", False),
        ("https://app.example.com/callback%20", False),
        ("https://app.example.com:443/callback", False),
        ("https://app.example.com/x/../callback", False),
        ("HTTPS://app.example.com/callback", False),
        ("https://app.example.com.evil.example/callback", False),
        ("https://app.example.com/callback\n", False),
        ("http://127.0.0.1:3000/cb", True),
        ("http://127.0.0.1:49152/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1:49152/cb\n", False),
        ("http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.1:/cb", False),
        ("http://127.0.0.1:80@evil.example/cb", False),
        ("http://localhost:3000/cb", False),  # another name for it, and perhaps another program
        ("https://127.0.0.1:3000/cb", False),
        ("http://127.1:3000/cb", False),
    ],
)
def test_an_address_fits_exactly_and_on_this_machine_at_any_port(asked: str, *, fits: bool) -> None:
    """C4 (hosted sign-in): `redirect_uri` exact; RFC 8252 section 7.3 for loopback."""
    registered = ["https://app.example.com/callback", "http://127.0.0.1:3000/cb"]
    assert is_registered(asked, registered) is fits


def test_parameters_are_added_to_what_the_address_has() -> None:
    added = redirect_addresses.with_parameters("https://a.example/cb?x=%20y", {"state": "a&b=c +%ü", "code": "1"})
    assert added == "https://a.example/cb?x=%20y&state=a%26b%3Dc+%2B%25%C3%BC&code=1"
    assert redirect_addresses.with_parameters("com.example.app:/cb", {"code": "1"}) == "com.example.app:/cb?code=1"


@pytest.mark.parametrize(
    ("address", "target", "origin"),
    [
        ("https://a.example/cb?x", "https://a.example", "https://a.example"),
        ("https://a.example:443/cb", "https://a.example", "https://a.example"),
        ("https://a.example:8443/cb", "https://a.example:8443", "https://a.example:8443"),
        ("http://[::1]/cb", "http://[::1]", "http://[::1]"),
        ("http://[::1]:80/cb", "http://[::1]", "http://[::1]"),
        ("com.example.app:/cb", "com.example.app:", None),
    ],
)
def test_a_page_knows_where_its_forms_may_lead(address: str, target: str, origin: str | None) -> None:
    assert (redirect_addresses.form_target(address), redirect_addresses.origin_of(address)) == (target, origin)

"""Domain names are translated by IDNA 2008 (UTS 46, non-transitional), or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import domains, outgoing
from apps.core.domains import NotADomain
from apps.core.outgoing import Unreachable
from tests.core.naming import Resolve


@pytest.mark.parametrize(
    ("domain", "in_dns"),
    [
        ("Example.COM", "example.com"),
        ("großhandel.example", "xn--grohandel-i1a.example"),
        ("grosshandel.example", "grosshandel.example"),
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),  # with a final sigma
        ("ΒΌΛΟΣ.example", "xn--nxasmq6b.example"),  # in capitals there is no final one
        ("bücher.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("\uff45xample\uff0ecom", "example.com"),
        ("example。com", "example.com"),
        ("ab--cd.example", "ab--cd.example"),
    ],
)
def test_a_name_in_dns(domain: str, in_dns: str) -> None:
    assert domains.in_ascii(domain) == in_dns


@pytest.mark.parametrize(
    "domain",
    [
        "xn--a.example",  # decodes to a control character
        "xn--.example",
        "xn--strasse-.example",
        "xn--i-7iq.example",  # a heart is no letter
        "i\u2764.example",
        "a\u200db.example",  # a joiner where nothing is joined
        "\u2100.example",  # "a/c"
        "\u0301a.example",
        "a..bücher.example",
    ],
)
def test_what_no_registry_would_take_is_refused(domain: str) -> None:
    with pytest.raises(NotADomain) as refused:
        domains.in_ascii(domain)
    assert domain not in str(refused.value)


@given(st.text(max_size=300))
def test_any_text_is_a_domain_in_ascii_or_refused(text: str) -> None:
    try:
        in_dns = domains.in_ascii(text)
    except NotADomain:
        return
    assert in_dns.isascii()
    assert domains.in_ascii(in_dns) == in_dns


def test_a_web_hook_goes_to_the_host_that_was_written(resolver: Resolve) -> None:
    """A request to straße.example must not reach strasse.example."""
    asked = resolver([["127.0.0.1"]])
    with pytest.raises(Unreachable):
        outgoing.post("https://straße.example/", b"{}", {}, within=1)
    assert asked == ["xn--strae-oqa.example"]


def test_a_web_hook_to_no_domain_is_unreachable(resolver: Resolve) -> None:
    asked = resolver([["127.0.0.1"]])
    with pytest.raises(Unreachable):
        outgoing.post("https://xn--a.example/", b"{}", {}, within=1)
    assert asked == []

"""Addresses: what is accepted, what compares equal, and what limits count as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import ValidationFailed
from apps.users import emails

ADDRESSES = st.builds(
    "{}@{}".format,
    st.text(st.characters(categories=("L", "N")) | st.sampled_from(".+-_"), min_size=1, max_size=40),
    st.sampled_from(["example.com", "EXAMPLE.com", "bücher.example", "xn--bcher-kva.example", "Straße.example"]),
)


@given(st.text(max_size=300) | st.builds("{}@{}".format, st.text(max_size=80), st.text(max_size=200)))
def test_any_text_is_an_address_or_a_validation_error(text: str) -> None:
    try:
        address = emails.parse(text)
    except ValidationFailed:
        return
    assert "\0" not in address.typed
    assert len(address.typed) <= 254
    assert len(address.identity) <= 640  # what the column holds


@given(ADDRESSES)
def test_comparing_is_stable(text: str) -> None:
    identity = emails.identity(text)
    assert emails.identity(identity) == identity
    assert emails.identity(text.upper()) == emails.identity(text.upper().lower())


@given(ADDRESSES)
def test_what_compares_equal_is_counted_as_one(text: str) -> None:
    assert emails.counter_key(emails.identity(text)) == emails.counter_key(text)
    local, _, domain = text.rpartition("@")
    assert emails.counter_key(f"{local}+tag@{domain}") == emails.counter_key(text)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada@example.com", "\uff41\uff44\uff41@\uff45xample\uff0ecom"),  # full-width forms: NFKC
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@example.com", "  ada@example.com\n"),
        ("K@example.com", "\u212a@example.com"),  # the Kelvin sign
    ],
)
def test_one_address_in_two_spellings(one: str, same: str) -> None:
    assert emails.parse(one).identity == emails.parse(same).identity


@pytest.mark.parametrize("other", ["a.da@example.com", "ada+1@example.com", "ada@example.org", "ad\u0430@example.com"])
def test_dots_tags_and_letters_of_other_scripts_make_another_identity(other: str) -> None:
    assert emails.parse("ada@example.com").identity != emails.parse(other).identity


def test_mail_goes_to_the_address_as_typed_but_for_its_compatibility_letters() -> None:
    assert emails.parse("Ada.Lovelace+x@Example.com").typed == "Ada.Lovelace+x@Example.com"
    assert emails.parse("\uff41\uff44\uff41@example.com").typed == "ada@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@example..com",
        "ada @example.com",
        "ada\0@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\u202e@example.com",  # turns the reading direction
        "ada\u200b@example.com",  # no width
        '"a da"@example.com',
        '"ada"@example.com',  # the same mailbox as ada@example.com: limits would count it twice
        "ada@[10.0.0.1]",
        "a" * 243 + "@example.com",
        "ada@" + ".".join(["字" * 15] * 15) + ".example",  # longer than DNS allows, once encoded
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        emails.parse(text)
    assert refused.value.fields
    assert list(refused.value.fields) == ["email"]


def test_addresses_that_compare_equal_need_not_be_one_mailbox() -> None:
    assert emails.identity("straße@example.com") == emails.identity("strasse@example.com")
    assert not emails.same_mailbox("straße@example.com", "strasse@example.com")
    assert emails.same_mailbox("Ada@example.com", "ada@EXAMPLE.com")

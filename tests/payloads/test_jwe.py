"""The codec: agrees with joserfc both ways, and takes nothing but the one form."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as other
from joserfc.jwk import ECKey, OctKey

from apps.payloads import jwe
from apps.payloads.jwe import NotDecrypted
from tests.payloads.tampering import ALPHABET, changed_anywhere

ALGORITHMS = ["dir", "ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM"]
KEY = bytes(range(32))
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PAIR = ECKey.import_key(PRIVATE)


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(text: str) -> bytes:
    parts = jwe.parse(text)
    if parts.header["alg"] == "dir":
        return jwe.open_direct(parts, key=KEY)
    return jwe.open_agreed(parts, private_key=PRIVATE)


def by_hand(header: bytes, *, iv: bytes = b"\0" * 12, plaintext: bytes = b"{}") -> str:
    """A JWE under KEY with any header at all, and a tag that is right for it."""
    protected = encode(header)
    sealed = AESGCM(KEY).encrypt(iv, plaintext, protected.encode())
    return ".".join((protected, "", encode(iv), encode(sealed[:-16]), encode(sealed[-16:])))


def header(**members: Any) -> bytes:
    return json.dumps({"alg": "dir", "enc": "A256GCM", **members}).encode()


@given(st.binary(max_size=3000))
def test_what_we_seal_joserfc_opens(plaintext: bytes) -> None:
    text = jwe.seal(plaintext, cipher=AESGCM(KEY), kid="key-1")
    found = other.decrypt_compact(text, OctKey.import_key(KEY), algorithms=ALGORITHMS)
    assert found.plaintext == plaintext
    assert found.protected == {"alg": "dir", "enc": "A256GCM", "kid": "key-1"}


@given(st.binary(max_size=3000))
def test_what_joserfc_seals_we_open(plaintext: bytes) -> None:
    for protected, key in (
        ({"alg": "dir", "enc": "A256GCM"}, OctKey.import_key(KEY)),
        ({"alg": "ECDH-ES", "enc": "A256GCM"}, PAIR),
        ({"alg": "ECDH-ES", "enc": "A256GCM", "apu": encode(b"Alice"), "apv": encode(b"Bob")}, PAIR),
    ):
        assert opened(other.encrypt_compact(protected, plaintext, key, algorithms=ALGORITHMS)) == plaintext


def test_no_two_messages_share_an_iv() -> None:
    assert len({jwe.parse(jwe.seal(b"{}", cipher=AESGCM(KEY), kid="k")).iv for _ in range(1000)}) == 1000


@settings(max_examples=300)
@given(data=st.data(), agreed=st.booleans())
def test_a_change_of_any_character_is_refused(data: st.DataObject, agreed: bool) -> None:
    algorithm, key = ("ECDH-ES", PAIR) if agreed else ("dir", OctKey.import_key(KEY))
    text = other.encrypt_compact({"alg": algorithm, "enc": "A256GCM"}, b'{"a":1}', key, algorithms=ALGORITHMS)
    with pytest.raises(NotDecrypted):
        opened(changed_anywhere(text, data))


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){4}", fullmatch=True))
def test_any_text_is_refused_in_the_one_way(text: str) -> None:
    with pytest.raises(NotDecrypted):
        opened(text)


def test_the_hand_made_form_is_right_when_nothing_is_wrong_with_it() -> None:
    assert opened(by_hand(header())) == b"{}"
    assert opened(by_hand(header(typ="JOSE", cty="json"))) == b"{}"


@pytest.mark.parametrize(
    "protected",
    [
        header(zip="DEF"),
        header(crit=["exp"], exp=1),
        header(jwk={}),
        header(jku="https://evil.example"),
        header(alg="A256KW"),
        header(alg="none"),
        header(alg="RSA-OAEP"),
        header(alg="ECDH-ES+A256KW"),
        header(alg=["dir"]),
        header(alg=None),
        header(enc="A128GCM"),
        header(enc="A256CBC-HS512"),
        header(enc={}),
        b'{"alg":"dir"}',
        b'{"enc":"A256GCM"}',
        b'{"alg":"dir","enc":"A256GCM","enc":"A256GCM"}',
        b'{"alg":"none","alg":"dir","enc":"A256GCM"}',
        b'["dir","A256GCM"]',
        b"null",
        b"",
        b"{",
        b'\xff{"alg":"dir","enc":"A256GCM"}',
        header(padding="x" * 1024),
        b"[" * 1000,
    ],
)
def test_any_other_header_is_refused(protected: bytes) -> None:
    """C2.1.4: the accepted algorithms are an allowlist; zip is refused."""
    with pytest.raises(NotDecrypted):
        opened(by_hand(protected))


def test_a_header_of_1_kib_is_the_longest() -> None:
    def of(length: int) -> bytes:
        return header(padding="x" * (length - len(header(padding=""))))

    assert opened(by_hand(of(1024))) == b"{}"
    with pytest.raises(NotDecrypted):
        opened(by_hand(of(1025)))


@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_an_iv_of_another_length_is_refused(length: int) -> None:
    iv = bytes(length)
    protected = encode(header())
    sealed = AESGCM(KEY).encrypt(iv, b"{}", protected.encode()) if length >= 8 else bytes(18)
    with pytest.raises(NotDecrypted):
        opened(".".join((protected, "", encode(iv), encode(sealed[:-16]), encode(sealed[-16:]))))


@pytest.mark.parametrize("length", [0, 4, 12, 15])
def test_a_shortened_tag_is_refused(length: int) -> None:
    *rest, tag = by_hand(header()).split(".")
    with pytest.raises(NotDecrypted):
        opened(".".join((*rest, encode(urlsafe_b64decode(tag + "==")[:length]))))


def test_the_tag_begins_where_it_begins() -> None:
    """The same bytes cut at another place are another text for the same message."""
    protected, _, iv, ciphertext, tag = by_hand(header(), plaintext=b"123456").split(".")
    sealed = urlsafe_b64decode(ciphertext + "==") + urlsafe_b64decode(tag + "==")
    for border in (len(sealed) - 17, len(sealed) - 15, 0):
        with pytest.raises(NotDecrypted):
            opened(f"{protected}..{iv}.{encode(sealed[:border])}.{encode(sealed[border:])}")


def test_the_parts_come_in_one_encoding_only() -> None:
    protected, _, iv, ciphertext, tag = by_hand(header(), plaintext=b"{}").split(".")
    assert ciphertext[-1] in ALPHABET[::4]  # two bytes in three characters leave two bits, which must be zero
    loose = ALPHABET[ALPHABET.index(ciphertext[-1]) + 1]
    for wrong in (ciphertext[:-1] + loose, ciphertext + "=", ciphertext + "\n", "A"):
        with pytest.raises(NotDecrypted):
            opened(f"{protected}..{iv}.{wrong}.{tag}")
    with pytest.raises(NotDecrypted):
        opened(f"{protected}.AAAA.{iv}.{ciphertext}.{tag}")  # `dir` has no encrypted key


@pytest.mark.parametrize("kid", [1, None, [], {}, True])
def test_a_kid_is_text(kid: Any) -> None:
    parts = jwe.parse(by_hand(header(kid=kid)))
    if kid is None:
        assert parts.kid is None
    else:
        with pytest.raises(NotDecrypted):
            _ = parts.kid


def test_each_way_of_opening_takes_its_own_algorithm_only() -> None:
    direct = jwe.parse(by_hand(header()))
    with pytest.raises(NotDecrypted):
        jwe.open_agreed(direct, private_key=PRIVATE)
    text = other.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, b"{}", PAIR, algorithms=ALGORITHMS)
    with pytest.raises(NotDecrypted):
        jwe.open_direct(jwe.parse(text), key=KEY)


ON_CURVE = {name: PAIR.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}


@pytest.mark.parametrize(
    "epk",
    [
        None,
        "text",
        {},
        {**ON_CURVE, "y": encode(bytes(31) + b"\1")},  # not on the curve
        {**ON_CURVE, "x": encode(bytes(32)), "y": encode(bytes(32))},
        {**ON_CURVE, "x": encode(b"\xff" * 32)},
        {**ON_CURVE, "x": encode(bytes(33))},
        {**ON_CURVE, "x": 7},
        {**ON_CURVE, "x": "é"},
        {**ON_CURVE, "crv": "P-384"},
        {**ON_CURVE, "kty": "OKP"},
        {name: ON_CURVE[name] for name in ("kty", "crv", "x")},
    ],
)
def test_a_one_time_key_that_is_no_point_of_p256_is_refused(epk: Any) -> None:
    with pytest.raises(NotDecrypted):
        opened(by_hand(header(alg="ECDH-ES", epk=epk)))


def agreed(epk: dict[str, Any]) -> str:
    """A JWE that is right in all but, perhaps, how it describes the sender's key."""
    ephemeral = ec.derive_private_key(7, ec.SECP256R1())
    known = ECKey.import_key(ephemeral).as_dict(private=False)
    protected = encode(header(alg="ECDH-ES", epk={**{n: known[n] for n in ("kty", "crv", "x", "y")}, **epk}))
    shared = ephemeral.exchange(ec.ECDH(), PRIVATE.public_key())
    other_info = b"\0\0\0\7A256GCM" + bytes(8) + (256).to_bytes(4)
    sealed = AESGCM(sha256(b"\0\0\0\1" + shared + other_info).digest()).encrypt(bytes(12), b"{}", protected.encode())
    return f"{protected}..{encode(bytes(12))}.{encode(sealed[:-16])}.{encode(sealed[-16:])}"


def test_a_one_time_key_is_described_in_the_one_way() -> None:
    x = ECKey.import_key(ec.derive_private_key(7, ec.SECP256R1())).as_dict()["x"]
    assert opened(agreed({})) == b"{}"
    longer = encode(b"\0" + urlsafe_b64decode(x + "="))
    for epk in ({"crv": "P-384"}, {"crv": None}, {"kty": "OKP"}, {"kty": None}, {"x": longer}, {"x": f"{x}="}):
        with pytest.raises(NotDecrypted):
            opened(agreed(epk))


@pytest.mark.parametrize("party", ["=", "A", "é", 1, [], "QUJD="])
def test_a_party_that_is_not_base64url_is_refused(party: Any) -> None:
    for name in ("apu", "apv"):
        with pytest.raises(NotDecrypted):
            opened(by_hand(header(alg="ECDH-ES", epk=ON_CURVE, **{name: party})))

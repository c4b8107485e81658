"""C2: the module's envelopes and streams are those of docs/vectors, and `jose` reads and writes the same."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from tests.payloads.test_node_interop import node  # noqa: F401  (a fixture)
from tests.payloads.test_vectors import vector
from tests.portal.gatehouse_js.node import ask, results

KEY = "A" * 43
SIZES = [0, 1, 65_519, 65_520, 131_038]  # around the ends of records
DOCUMENT = {"name": "Zoë 🦉", "list": [1, None, "x"]}


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def from_b64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_it_seals_to_the_service_as_in_the_vectors(node: str) -> None:  # noqa: F811
    """C2.1.1: byte for byte, given the vector's ephemeral key and IV."""
    agreed = vector("service-ecdh-es")
    message = agreed["messages"][0]
    keys = {"privateJwk": agreed["ephemeral_private_jwk"], "publicJwk": agreed["published_jwk"]}
    sealed = {key: message[key] for key in ("header", "plaintext", "iv")}
    found = results(node, {"name": "contentKey", **keys}, {"name": "sealToAsInVector", **sealed, **keys})
    assert found == [message["content_key"], message["jwe"]]


def test_it_speaks_under_a_token_as_in_the_vectors(node: str) -> None:  # noqa: F811
    """C2.2.2: what it seals, and what it opens; but nothing under another method, path, status or key."""
    known = vector("token-envelope")
    requests, responses = known["requests"], known["responses"]
    job = {"name": "sealUnderTokenAsInVector", "token": known["jwt"]}
    sealed = results(node, *({**job, **{key: one[key] for key in ("info", "plaintext", "iv")}} for one in requests))
    assert sealed == [one["jwe"] for one in requests]

    keys = [{"token": known["jwt"]}, {"prk": known["prk"], "kid": known["jti"]}]  # body delivery, and cookies
    job = {"name": "openUnderToken"}
    call = ("jwe", "method", "path", "status")
    opened = results(node, *({**job, **key, **{name: one[name] for name in call}} for key in keys for one in responses))
    assert opened == 2 * [json.loads(one["plaintext"]) for one in responses]

    right: dict[str, Any] = {**job, **keys[0], **{name: responses[0][name] for name in call}}
    head, empty, iv, text, tag = right["jwe"].split(".")
    wrong = [
        {"status": 201},
        {"method": "HEAD"},
        {"path": "/api/auth/sessions"},
        {"jwe": requests[0]["jwe"]},
        {"jwe": f"{head}.{empty}.{iv}.{text}.{tag[:-6]}AAAAAA"},
        {"jwe": f"{head}.AAAA.{iv}.{text}.{tag}"},
        {"jwe": "nonsense"},
        {"jwe": ""},
    ]
    assert ask(node, *({**right, **change} for change in wrong)) == len(wrong) * [{"error": "unreadable_answer"}]
    other = {**right, "token": None, "prk": known["prk"], "kid": "another-session"}
    assert ask(node, other) == [{"error": "session_changed"}]


def test_it_writes_and_reads_streams_as_in_the_vectors(node: str) -> None:  # noqa: F811
    """C2.3.1: whatever the pieces in which a stream comes."""
    known = vector("file-stream")
    keys = {"prk": known["prk"], "kid": known["keyid"]}
    small, large = known["streams"]
    content = bytes(number % 251 for number in range(large["content_length"]))
    contents = [small["content"], b64(content)]
    jobs = [
        {"name": "streamAsInVector", **keys, "content": given, **{key: one[key] for key in ("method", "path", "salt")}}
        for given, one in zip(contents, known["streams"], strict=True)
    ]
    written = results(node, *jobs)
    assert written[0] == small["stream"]
    assert hashlib.sha256(from_b64(written[1])).hexdigest() == large["stream_sha256"]
    reading = [
        {"name": "readStream", **keys, "method": one["method"], "path": one["path"], "stream": stream, "pieces": pieces}
        for stream, one, pieces in (
            (written[0], small, 1),
            (written[1], large, 65_536),
            (written[1], large, 1_000),
            (written[1], large, 1_000_000),
        )
    ]
    read = results(node, *reading)
    assert [one["content"] for one in read] == [contents[0], contents[1], contents[1], contents[1]]
    assert [one["foretold"] for one in read] == [len(from_b64(contents[0]))] + 3 * [len(content)]


def test_a_stream_that_is_not_whole_and_as_it_was_is_refused(node: str) -> None:  # noqa: F811
    """C2.3.1: truncated, reordered, extended, tampered, for another file, under another key."""
    known = vector("file-stream")
    keys, path = {"prk": known["prk"], "kid": known["keyid"]}, "/api/files/1/content"
    place = {**keys, "method": "GET", "path": path}
    writing = {"name": "streamAsInVector", **place, "salt": b64(bytes(16))}
    reading = {"name": "readStream", **place, "pieces": 50_000}
    texts = results(node, *({**writing, "content": b64(bytes(size))} for size in SIZES))
    read = results(node, *({**reading, "stream": text} for text in texts))
    assert [from_b64(one["content"]) for one in read] == [bytes(size) for size in SIZES]
    changes = ({"path": "/api/files/2/content"}, {"kid": "x"}, {"prk": KEY})
    jobs = [{**reading, "stream": text, **change} for text in texts for change in changes]
    for text in texts:
        jobs += [{**reading, "stream": b64(one)} for one in broken(from_b64(text), header=21 + len(known["keyid"]))]
    assert ask(node, *jobs) == len(jobs) * [{"error": "unreadable_answer"}]


def broken(whole: bytes, *, header: int) -> list[bytes]:
    """A stream as it may not be."""
    first, rest = whole[header : header + 65_536], whole[header + 65_536 :]
    return [
        b"",
        whole[:header],
        whole[:-1],
        whole + b"\0",
        whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:],
        whole[:header] + rest + first if rest else whole[: header - 1],
        whole[: header + 65_536] if rest else whole[:20],
        whole + whole[header:],
        bytes([whole[0] ^ 1]) + whole[1:],
        whole[:18] + b"\x02" + whole[19:],
    ]


def test_jose_reads_what_it_seals_and_it_reads_what_jose_seals(node: str) -> None:  # noqa: F811
    agreed = vector("service-ecdh-es")
    [sealed_to, sealed, opened] = results(
        node,
        {
            "name": "joseOpensWhatIsSealedTo",
            "document": DOCUMENT,
            "publicJwk": agreed["published_jwk"],
            "privateJwk": agreed["private_jwk"],
        },
        {"name": "joseOpensWhatIsSealedDirectly", "document": DOCUMENT, "key": KEY},
        {"name": "opensWhatJoseSeals", "document": DOCUMENT, "key": KEY, "header": {"kid": "any"}},
    )
    assert sealed_to == {"document": DOCUMENT, "header": ["alg", "enc", "epk", "kid"]}
    assert (sealed, opened) == (DOCUMENT, DOCUMENT)


def test_a_path_counts_as_it_is_sent(node: str) -> None:  # noqa: F811
    """C2.2.2: without query, percent-encoded unreserved characters decoded, and no others."""
    paths = {
        "/api/auth/me?a=%2F#b": "/api/auth/me",
        "/api/%61uth/%7Eme%2D%5f": "/api/auth/~me-_",
        "/api/a%2Fb c": "/api/a%2Fb%20c",
        "/api/x/../auth/me": "/api/auth/me",
        "/api/Zoë": "/api/Zo%C3%AB",
    }
    jobs = [{"name": "boundPath", "url": f"https://auth.example.com{path}"} for path in paths]
    assert results(node, *jobs) == list(paths.values())

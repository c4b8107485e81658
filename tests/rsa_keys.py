"""RSA keys that are drawn once a run and not for each test: one takes a second of CPU, and a customer's first version has two."""

from threading import Lock

from apps.core import ciphers

_lock = Lock()
_drawn: list[bytes] = []
_used = 0


def draw() -> bytes:
    """In the place of `ciphers.new_rsa_key`: one that this test has not had yet, by that function if need be."""
    global _used  # noqa: PLW0603  (how many this test has had)
    with _lock:
        if _used == len(_drawn):
            _drawn.append(ciphers.new_rsa_key())
        _used += 1
        return _drawn[_used - 1]


def begin_again() -> None:
    """The next test may have them all: what was signed before is gone with the database."""
    global _used  # noqa: PLW0603  (see above)
    _used = 0

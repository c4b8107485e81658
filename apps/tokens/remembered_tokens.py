"""Access tokens whose signature this process has checked, and what they say.

A signature that was right stays right, so it is checked once for each process and token. Everything else is checked every time:
the times here; issuer, secret, session and user by `state`. Nothing that was refused is ever remembered.

Entries are found by the SHA-256 of the token's text. So another text is another token, however alike, and no token is kept.
"""

from collections import OrderedDict
from hashlib import sha256
from threading import Lock

from apps.tokens import signing
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.signing import TokenKind, VerifiedClaims

MOST = 4_096  # of 0.9 KiB (tracemalloc): 4 MiB of the 150 that a worker may have


class RememberedTokens:
    """Thread-safe. Those least lately used make way."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._entries: OrderedDict[bytes, VerifiedClaims] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def timely(self, text: str, kind: TokenKind) -> VerifiedClaims | None:
        """The claims of exactly this text, if they were verified before and the token's time has come and not passed.

        None says nothing about the token: whoever asks verifies it in full.
        """
        found = self._find(_place(text))
        if found is None or found.kind is not kind:
            return None
        try:
            signing.require_timely(found)
        except (InvalidToken, TokenExpired):
            return None
        return found

    def put(self, text: str, claims: VerifiedClaims) -> None:
        """Remember what was verified in full just now."""
        with self._lock:
            self._entries[_place(text)] = claims
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._entries.clear()

    def _find(self, place: bytes) -> VerifiedClaims | None:
        with self._lock:
            found = self._entries.get(place)
            if found is not None:
                self._entries.move_to_end(place)
        return found


memory = RememberedTokens()


def _place(text: str) -> bytes:
    return sha256(text.encode()).digest()

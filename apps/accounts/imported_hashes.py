"""Password hashes of other systems: which ones we take over, and how Django's hashers write them.

A hash that would cost too much to check is refused: each sign-in would pay for it.
"""

import re

LONGEST = 512  # characters
# What a sign-in may cost: 2^15 rounds of bcrypt and 9,999,999 of PBKDF2 take about 2 s each (measured), Argon2 up to 256 MiB.
BCRYPT = re.compile(
    r"(?:bcrypt\$|(bcrypt_sha256)\$)?\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}"
)
PBKDF2 = re.compile(r"pbkdf2_(?:sha256|sha1)\$[1-9]\d{0,6}\$[^$\s]+\$[A-Za-z0-9+/]+={0,2}")
ARGON2 = re.compile(
    r"(?:argon2)?(\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(\d{1,6}),t=([1-9]|1[0-6]),p=([1-9]|1[0-6])"
    r"\$(?=[^$]{11,}\$)(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2,3})?"
    r"\$(?=[^$]{22,}$)(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2,3})?)"
)
ARGON2_MOST_MEMORY = 256 * 1024  # KiB
ARGON2_LEAST_PER_LANE = 8  # KiB, RFC 9106 section 3.1


def as_django_writes_it(text: str) -> str | None:
    """The same hash; bcrypt's own form gets the hasher's name in front. None for one that we do not take."""
    if PBKDF2.fullmatch(text):
        return text
    if bcrypt := BCRYPT.fullmatch(text):
        plain = text[text.index("$2") :].replace("$2y$", "$2b$", 1)  # PHP's name for the same
        return f"{bcrypt[1] or 'bcrypt'}${plain}"
    argon2 = ARGON2.fullmatch(text)
    if argon2 and ARGON2_LEAST_PER_LANE * int(argon2[4]) <= int(argon2[2]) <= ARGON2_MOST_MEMORY:
        return f"argon2{argon2[1]}"
    return None

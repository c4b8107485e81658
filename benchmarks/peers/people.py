"""The users that every peer is given before it is measured."""

PEOPLE = 2000  # each signs in once: enough for six rounds of 300 and those who ask who they are
PASSWORD = "correct horse battery staple"  # noqa: S105  (of users of a bench)


def email(number: int) -> str:
    return f"user{number}@example.com"

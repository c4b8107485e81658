"""The users that every peer is given before it is measured."""

PEOPLE = 2000  # each signs in once: enough for nine rounds of 200 and those who ask who they are
MOST_PASSWORDS = 8  # in a round: each sign-in by password costs a good part of a second
PASSWORD = "correct horse battery staple"  # noqa: S105  (of users of a bench)


def email(number: int) -> str:
    return f"user{number}@example.com"

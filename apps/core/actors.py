"""How events name who acts."""

from uuid import UUID

ANONYMOUS = "anonymous"
SYSTEM = "system"
OPERATOR, USER, API_KEY, IDENTITY_CHECK = "operator", "user", "api-key", "identity-check"  # the kinds that have names


def user(user_id: UUID) -> str:
    """An end user."""
    return f"user:{user_id}"


def operator(name: str) -> str:
    """Somebody who signed in to the admin by this name, an address as a rule."""
    return f"operator:{name}"


def api_key(key_id: str) -> str:
    """A customer's server, by its key."""
    return f"api-key:{key_id}"


def identity_check(check_id: UUID) -> str:
    """A customer's outside identity check, by the check that it answered."""
    return f"identity-check:{check_id}"


def parts(actor: str) -> tuple[str, str]:
    """The kind of who acts, and which one: ("operator", "ops@example.com"). ("system", "") for one that there is once."""
    kind, _colon, name = actor.partition(":")
    return kind, name


def is_operator(actor: str) -> bool:
    """Whether an operator acted, no matter which one."""
    return actor.startswith(operator(""))

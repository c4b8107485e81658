"""A copy of Valkey that comes back: a backup, or a replica that lagged behind and was promoted."""

from collections.abc import Callable

from apps.core import valkey


def copy_of_valkey() -> Callable[[], None]:
    """Take a copy now; calling it puts everything back as it was."""
    client = valkey.client()
    found = [(key, client.pttl(key), client.dump(key)) for key in client.scan_iter(count=1000)]
    kept = [each for each in found if each[1] and each[2]]  # some end at this very moment

    def put_back() -> None:
        for name in client.scan_iter(count=1000):
            client.delete(name)
        for key, milliseconds, value in kept:
            client.restore(key, max(0, milliseconds), value, replace=True)

    return put_back

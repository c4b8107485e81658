"""Where a form may lead that ends at an app: browsers apply `form-action` to every redirect after a form."""

from apps.core.content_policy import Policy
from apps.oauth import redirect_addresses


def of(address: str) -> Policy:
    """The app's own address; for one on the web any https address, since its own redirect may lead to another of its hosts."""
    target = "https:" if address.startswith("https://") else redirect_addresses.form_target(address)
    return {"form-action": (target,)}

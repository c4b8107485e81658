"""Where Django looks for admin pages. They are in `pages`, one a file; the later ones add to the earlier ones."""

from apps.operators.pages import (  # noqa: F401  (they register themselves)
    api_key,
    approval,
    audit,
    customer,
    factors,
    fixed_code,
    mail,
    operator,
    service_key,
    session,
    user,
)

"""A customer's form as a browser posts it: the policy's defaults, and what a test changes."""

import json
from typing import Any

from apps.customers import policy


def customer_form(**values: object) -> dict[str, object]:
    networks: Any = values.pop("networks", [])
    defaults = {name: _posted(column.get_default()) for name, column in policy.columns().items()}
    form: dict[str, object] = {
        **{name: value for name, value in defaults.items() if value is not None},
        **{f"initial-{name}": defaults[name] for name in policy.LISTS},
        "daily_code_quota": 10,
        "monthly_code_quota": 100,
        "allowed_networks-TOTAL_FORMS": len(networks),
        "allowed_networks-INITIAL_FORMS": 0,
        "limit_overrides-TOTAL_FORMS": 0,
        "limit_overrides-INITIAL_FORMS": 0,
        **values,
    }
    for number, network in enumerate(networks):
        form[f"allowed_networks-{number}-network"] = network
    return form


def _posted(value: object) -> object:
    """As a browser sends it: a list as its JSON, a box that is not ticked not at all."""
    if isinstance(value, bool):
        return "on" if value else None
    return json.dumps(value) if isinstance(value, list) else value

from collections.abc import Callable
from typing import Any

ROW_CLASSES: list[str]
CHECKBOX_CLASSES: list[str]
LINK_CLASSES: list[str]
label_for_field: Callable[..., Any]

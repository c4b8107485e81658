from typing import Any

ROW_CLASSES: list[str]
CHECKBOX_CLASSES: list[str]
LINK_CLASSES: list[str]
label_for_field: Any
result_headers: Any
display_for_label: Any

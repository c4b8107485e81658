"""Cells of lists with one class each. Unfold gives every cell 26, which were 90 of the 160 KB of a page with 25 rows."""

from unfold.templatetags import unfold_list


def use() -> None:
    """Once, at start-up. `operators/lists.css` says what the classes mean."""
    unfold_list.ROW_CLASSES[:] = ["cell"]
    unfold_list.CHECKBOX_CLASSES[:] = ["action-checkbox", "cell"]
    unfold_list.LINK_CLASSES[:] = ["cell-link"]

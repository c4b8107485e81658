from typing import Any

class UnfoldAction:
    action_name: str
    method: Any  # the decorated method, with what the decorator has set on it
    description: str
    path: str

class SearchResult:
    def __init__(self, title: str, description: str, link: str, icon: str | None) -> None: ...

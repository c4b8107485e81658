from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

class UnfoldAdminSite(AdminSite):
    def _get_config(self, key: str, request: HttpRequest) -> Any: ...
    def _get_colors(self, key: str, request: HttpRequest) -> dict[str, dict[str, str]]: ...

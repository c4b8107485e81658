from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.dataclasses import UnfoldAction

class ModelAdmin(admin.ModelAdmin[Any]):
    compressed_fields: bool
    warn_unsaved_form: bool
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]: ...
    def get_actions_list(self, request: HttpRequest) -> list[UnfoldAction]: ...

class TabularInline(admin.TabularInline[Any, Any]): ...

from typing import Any

from django.contrib.admin.views import main
from django.http import HttpRequest

class ChangeList(main.ChangeList):
    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None: ...

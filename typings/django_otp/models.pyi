from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models

class DeviceManager(models.Manager[Any]): ...

class Device(models.Model):
    user: models.ForeignKey[User | models.expressions.Combinable, User]
    user_id: int
    name: models.CharField[str, str]
    confirmed: models.BooleanField[bool, bool]
    objects = DeviceManager()
    class Meta:
        abstract: ClassVar[bool]

    def verify_token(self, token: str) -> bool: ...

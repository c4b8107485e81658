"""Files, the objects in the storage that hold their content, and how many bytes each customer has taken."""

from django.core.validators import RegexValidator
from django.db import models

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.users.models import User

IDENTITY_DOCUMENT = "identity_document"  # the one purpose that we know; the others are the customer's own words
PURPOSE = r"[a-z][a-z0-9_]{0,63}"


class StoredObject(models.Model):
    """An object in the storage. Its row is there before the object, and goes after it: so no object is ever forgotten.

    It refers to no customer, user or file that could be deleted and take it along: what no file names any more is removed by
    `sweeping`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.UUIDField()
    created_at = models.DateTimeField()
    uploading_until = models.DateTimeField(null=True)  # renewed by the upload; null once a file names the object
    doomed = models.BooleanField(default=False)  # no upload can make it count any more

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("uploading_until",), name="object_uploading"),
            models.Index(fields=("id",), name="object_doomed", condition=models.Q(doomed=True)),
            models.Index(fields=("customer_id",), name="object_customer"),  # all of them go with it
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the storage."""
        return f"{self.customer_id}/{self.id}"


class UserFile(models.Model):
    """A file of a user. It counts for the customer's total from its announcement on; its content may come later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="files")
    name = NameField(max_length=255)
    purpose = models.CharField(max_length=64, validators=[RegexValidator(rf"\A{PURPOSE}\Z")])
    size = models.PositiveBigIntegerField()  # bytes, as announced; no other content is accepted
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # the content must come before; null once it has come
    uploaded_at = models.DateTimeField(null=True, blank=True)
    media_type = models.CharField(max_length=127, blank=True)  # of the content, by its first bytes
    sha256 = models.CharField(max_length=64, blank=True)  # of the content
    # The content's own, 32 bytes. It goes with this row, and then no copy of the content can be read, wherever it lies.
    content_key = SealedField(blank=True)
    content = models.OneToOneField(StoredObject, on_delete=models.PROTECT, null=True, related_name="file")
    # By an operator. From then on the content of an identity document is fixed.
    opened_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("expires_at",), name="file_expires", condition=models.Q(content=None)),
            models.Index(fields=("created_at",), name="document_age", condition=models.Q(purpose=IDENTITY_DOCUMENT)),
        )

    def __str__(self) -> str:
        return f"file {self.id}"

    @property
    def is_uploaded(self) -> bool:
        return self.content_id is not None


class FileUse(models.Model):
    """How many bytes a customer's files take. A trigger gives them back when a file's row goes, whatever deletes it."""

    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE, related_name="+")
    bytes = models.PositiveBigIntegerField(default=0)

    objects = OwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.bytes} bytes"

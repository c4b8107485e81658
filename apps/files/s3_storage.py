"""Files in a bucket of S3, or of anything that speaks its protocol (FILES_STORAGE_URL): a piece at a time, both ways."""

from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from django.core.files.base import File
from storages.backends.s3 import S3Storage

if TYPE_CHECKING:
    BytesFile = File[bytes]  # generic in the stubs alone
else:
    BytesFile = File

# What one upload keeps in memory. S3 takes at most 10,000 parts, none but the last under 5 MiB.
PART_BYTES = 8 * 1024 * 1024
NOT_FOUND = 404
CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 20, 3


class Download(BytesFile):
    """An object that is read as it comes. django-storages would load the whole object first."""

    def __init__(self, body: StreamingBody, name: str) -> None:
        super().__init__(body, name)


class BucketStorage(S3Storage):
    """One thread, one part at a time. What failed leaves no parts behind, which cost money and are seen by nobody."""

    def __init__(self, *, addressing_style: str = "auto", **options: Any) -> None:
        config = Config(
            s3={"addressing_style": addressing_style},
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            # Servers other than Amazon's refuse the checksums that boto3 adds since 1.36.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        parts = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
        super().__init__(client_config=config, transfer_config=parts, file_overwrite=True, **options)

    def _open(self, name: str, mode: str = "rb") -> Download:
        try:
            found = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=self._normalize_name(name))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == NOT_FOUND:
                raise FileNotFoundError(name) from error
            raise
        return Download(found["Body"], name)

    def delete(self, name: str) -> None:
        """The object, and the parts of uploads of it that a killed process has left."""
        super().delete(name)
        client, key = self.connection.meta.client, self._normalize_name(name)
        left = client.list_multipart_uploads(Bucket=self.bucket_name, Prefix=key).get("Uploads", ())
        for upload in left:
            client.abort_multipart_upload(Bucket=self.bucket_name, Key=upload["Key"], UploadId=upload["UploadId"])

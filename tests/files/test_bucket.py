"""Files in a bucket: against a server that speaks S3's protocol over HTTP, with the client that production has."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.utils import timezone
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from pytest_django import Settings

from apps.core.errors import TemporarilyUnavailable
from apps.files import checks, object_store, s3_storage, sweeping
from apps.files.models import StoredObject
from config import file_storage
from tests.files.keeping import Place, pdf
from tests.files.test_uploads_that_fail import happen_at_the_end

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {"access_key_id": "AKIA" + "X" * 16, "secret_access_key": "y" * 40}
PART = s3_storage.PART_BYTES


class Bucket:
    """A bucket of its own, and what is in it."""

    def __init__(self, endpoint: str) -> None:
        self.name, self.endpoint = f"bucket-{uuid4()}", endpoint
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="eu-central-1",
            aws_access_key_id=KEYS["access_key_id"],
            aws_secret_access_key=KEYS["secret_access_key"],
        )
        where = {"LocationConstraint": "eu-central-1"}
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration=where)

    @property
    def url(self) -> str:
        return f"s3://{self.name}/kept/here?region=eu-central-1&addressing=path&endpoint={self.endpoint}"

    def keys(self) -> list[str]:
        return [row["Key"] for row in self.client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def parts(self) -> list[str]:
        """Of uploads that are not complete."""
        return [row["Key"] for row in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Settings) -> Bucket:
    bucket = Bucket(endpoint)
    kept = file_storage.storage(root="/nowhere", url=bucket.url, **KEYS)
    settings.STORAGES = {**settings.STORAGES, "files": kept}
    return bucket


@pytest.fixture
def place(client_for: Any, bucket: Bucket, tmp_path: Any) -> Place:
    return Place(client_for, tmp_path, largest_file_bytes=5 * PART)


@pytest.mark.parametrize("size", [1000, PART - 28 * 128, 2 * PART + 1000])
def test_a_content_goes_into_a_bucket_and_comes_back(place: Place, bucket: Bucket, size: int) -> None:
    """In one request, or in several parts; under the prefix, and encrypted."""
    file_id = place.keep(pdf(size))
    (key,) = bucket.keys()
    assert key.startswith(f"kept/here/{place.customer.id}/")
    assert pdf(size)[100:164] not in bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
    assert place.fetch(file_id)[1] == pdf(size)
    assert bucket.parts() == []
    place.client.delete(f"/api/files/{file_id}", token=place.token)
    assert sweeping.sweep(now=timezone.now()) == 1
    assert bucket.keys() == []


def test_an_upload_that_fails_leaves_no_object_and_no_parts(
    place: Place, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2 * PART + 1000
    file_id = place.announced(size)
    stream = place.stream(file_id, pdf(size))
    for spoilt in (stream[:-1], stream[: PART + 5], stream + b"x", stream[:-1] + bytes([stream[-1] ^ 1])):
        assert place.send_raw(file_id, spoilt).error_type == "decryption_failed"
        assert (bucket.keys(), bucket.parts()) == ([], [])
    assert not StoredObject.objects.exists()
    happen_at_the_end(monkeypatch, lambda: place.client.delete(f"/api/files/{file_id}", token=place.token))
    assert place.send_raw(file_id, stream).status == 404
    assert (bucket.keys(), bucket.parts()) == ([], [])


def test_parts_that_a_killed_process_has_left_are_removed_with_the_object(place: Place, bucket: Bucket) -> None:
    left = StoredObject.objects.create(
        customer_id=place.customer.id, created_at=timezone.now(), uploading_until=timezone.now()
    )
    key = f"kept/here/{left.name}"
    upload = bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key)["UploadId"]
    bucket.client.upload_part(Bucket=bucket.name, Key=key, UploadId=upload, PartNumber=1, Body=bytes(PART))
    assert bucket.parts() == [key]
    assert sweeping.sweep(now=timezone.now()) == 1
    assert bucket.parts() == []


def test_an_upload_keeps_one_part_in_memory(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the content is: what has been read is never more than a few parts ahead of what has been sent."""
    read, sent, ahead = 0, 0, 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        for _ in range(5 * PART // 65_536):
            read += 65_536
            yield bytes(65_536)

    send = s3_storage.BucketStorage.connection.fget

    def counting(storage: Any) -> Any:
        resource = send(storage)
        resource.meta.client.meta.events.register("before-send.s3.UploadPart", note)
        return resource

    def note(request: Any, **_: Any) -> None:
        nonlocal sent, ahead
        ahead = max(ahead, read - sent)
        sent += PART

    monkeypatch.setattr(s3_storage.BucketStorage, "connection", property(counting))
    object_store.write("a/b", pieces())
    assert sent >= 5 * PART
    assert 0 < ahead <= 2 * PART


def test_no_checksums_that_other_servers_refuse_are_sent(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 adds them since 1.36, in headers and trailers that MinIO, Ceph and Backblaze of their time do not know."""
    headers: list[str] = []
    connection = s3_storage.BucketStorage.connection.fget

    def watching(storage: Any) -> Any:
        resource = connection(storage)
        resource.meta.client.meta.events.register(
            "before-send.s3", lambda request, **_: headers.extend(request.headers)
        )
        return resource

    monkeypatch.setattr(s3_storage.BucketStorage, "connection", property(watching))
    object_store.write("a/b", [bytes(1000)])
    object_store.write("a/c", [bytes(PART + 1000)])
    assert b"".join(object_store.read("a/c")) == bytes(PART + 1000)
    assert headers
    assert [name for name in headers if "checksum" in name.lower() or "trailer" in name.lower()] == []


def test_a_bucket_that_is_away_or_not_ours_is_503_and_said_by_the_check(place: Place, settings: Settings) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        away = f"s3://bucket?endpoint=http://127.0.0.1:{port}&addressing=path&region=eu-central-1"
        file_id = place.announced(1000)
        storage = file_storage.storage(root="/nowhere", url=away, **KEYS)
        settings.STORAGES = {**settings.STORAGES, "files": storage}
        answer = place.send(file_id, pdf(1000))
        assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
        (said,) = checks.storage_works()
        assert "Could not connect to the endpoint URL" in said.msg
    assert StoredObject.objects.filter(doomed=True).count() == 1, "removed when the bucket is back"


def test_the_check_is_content_with_a_bucket_that_works_and_leaves_nothing(bucket: Bucket) -> None:
    assert checks.storage_works() == []
    assert bucket.keys() == []
    bucket.client.delete_bucket(Bucket=bucket.name)
    (said,) = checks.storage_works()
    assert "NoSuchBucket" in said.msg


def test_an_object_that_is_not_there_is_503(bucket: Bucket) -> None:
    with pytest.raises(TemporarilyUnavailable):
        next(object_store.read("a/b"))

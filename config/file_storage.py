"""STORAGES["files"]: where the content of users' files is kept, from the settings that name a folder or a bucket."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

IN_PRODUCTION = "/var/lib/gatehouse/files"
ADDRESSING = ("auto", "path", "virtual")
FORM = "s3://BUCKET/PREFIX?region=REGION&endpoint=https://HOST&addressing=path"


def storage(*, root: str, url: str, access_key_id: str, secret_access_key: str) -> dict[str, Any]:
    """The bucket that `url` names, or else the folder."""
    if not url:
        return {"BACKEND": "apps.files.local_storage.LocalStorage", "OPTIONS": {"location": root}}
    keys = {"access_key": access_key_id, "secret_key": secret_access_key} if access_key_id else {}
    return {"BACKEND": "apps.files.s3_storage.BucketStorage", "OPTIONS": {**_options(bucket(url)), **keys}}


def bucket(text: str) -> str:
    """The text as it came, if it names a bucket; else raises ValueError saying what is wrong."""
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError(f"must be {FORM}; all but the bucket may be left out")
    if "@" in parts.netloc:
        raise ValueError("must not hold keys: set FILES_S3_ACCESS_KEY_ID and FILES_S3_SECRET_ACCESS_KEY")
    if unknown := options.keys() - {"region", "endpoint", "addressing"}:
        raise ValueError(f"has options that are not known: {', '.join(sorted(unknown))}")
    if options.get("addressing", "auto") not in ADDRESSING:
        raise ValueError(f"must have one of these as addressing: {', '.join(ADDRESSING)}")
    endpoint = urlsplit(options.get("endpoint", "https://any"))
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise ValueError("must name its endpoint as https://HOST or https://HOST:PORT")
    return text


def folder(text: str) -> str:
    """The text as it came, if it is a folder's full path; else raises ValueError."""
    if not text.startswith("/"):
        raise ValueError("must be the full path of a folder, such as /var/lib/gatehouse/files")
    return text


def folder_fault(environment: Mapping[str, str]) -> str:
    """What is wrong with the folder, if files are kept in one; empty if nothing is. It need not be there yet."""
    root = Path(environment.get("FILES_ROOT", "").strip() or IN_PRODUCTION)
    there = next((place for place in (root, *root.parents) if place.exists()), root)
    if environment.get("FILES_STORAGE_URL", "").strip() or (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return ""
    return f"FILES_ROOT ({root}) cannot be written to by this user. Give it such a folder, or name a bucket in FILES_STORAGE_URL."


def _options(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    return {
        "bucket_name": parts.netloc,
        "location": unquote(parts.path).strip("/"),
        "region_name": given.get("region"),
        "endpoint_url": given.get("endpoint"),
        "addressing_style": given.get("addressing", "auto"),
    }

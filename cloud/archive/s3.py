"""Objects in an S3 bucket: the one module that knows boto3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloud.archive.objects import CHUNK_BYTES, URL_VALID_S, checked, is_name, missing
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, RetailError, UnavailableError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "objects/"
GONE = frozenset({"404", "NoSuchKey", "NotFound", "405", "MethodNotAllowed"})
"""What S3 answers for an object that is not there, or hidden by a mark of deletion."""
NO_LOCK = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "InvalidRequest"})
LockMode = Literal["COMPLIANCE", "GOVERNANCE"]
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket and how to sign in to it; without keys boto3 looks for the machine's own."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""
    prefix: str = PREFIX
    lock: LockMode | None = None
    """How to lock objects, where the bucket can; None leaves them deletable."""
    is_presigned: bool = False
    """Whether boxes may fetch from the bucket itself, by addresses that hold for a while."""


def client_of(place: S3Place) -> S3Client:
    """A client of the place; connects to nothing yet."""
    return boto3.client(
        "s3",
        endpoint_url=place.endpoint or None,
        region_name=place.region,
        aws_access_key_id=place.access_key or None,
        aws_secret_access_key=place.secret_key or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
        ),
    )


class S3Objects:
    """See `ObjectStore`; keys are `objects/<sha256>`."""

    def __init__(self, place: S3Place) -> None:
        self._bucket = place.bucket
        self._prefix = place.prefix
        self._is_presigned = place.is_presigned
        self._wanted_lock = place.lock
        self._found_lock: str | None = None
        self._client = client_of(place)

    def put(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """See ObjectStore."""
        name = sha256(data).hex()
        # A locked bucket keeps every version, so a second copy would be one more for ever.
        if keep_until_ms is not None and self._holds(name, len(data)):
            return name
        return self.put_again(data, keep_until_ms)

    def put_again(self, data: bytes, keep_until_ms: int | None = None) -> str:
        """See ObjectStore."""
        name = sha256(data).hex()
        lock: dict[str, Any] = {}
        if keep_until_ms is not None and self.lock_mode():
            until = datetime.fromtimestamp(keep_until_ms / 1000, UTC)
            lock = {"ObjectLockMode": self._wanted_lock, "ObjectLockRetainUntilDate": until}
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data, **lock)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error
        return name

    def names(self) -> Iterator[str]:
        """See ObjectStore; with a lock also what a mark of deletion hides."""
        kind = "list_object_versions" if self.lock_mode() else "list_objects_v2"
        rows = "Versions" if self.lock_mode() else "Contents"
        told: set[str] = set()
        try:
            pages = self._client.get_paginator(kind).paginate(  # type: ignore[call-overload]
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                found = {row["Key"].removeprefix(self._prefix) for row in page.get(rows, ())}
                yield from sorted(name for name in found - told if is_name(name))
                told = found  # versions of one key follow each other
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def delete(self, name: str) -> None:
        """See ObjectStore; a locked version stays below the mark of deletion."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + checked(name))
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def lock_mode(self) -> str:
        """See ObjectStore; asks the bucket once."""
        if self._wanted_lock is None:
            return ""
        if self._found_lock is None:
            self._found_lock = self._wanted_lock if self._bucket_locks() else ""
        return self._found_lock

    def size(self, name: str) -> int:
        """See ObjectStore."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + checked(name))
        except (BotoCoreError, ClientError) as error:
            raise _reading(error, name) from error
        return int(found["ContentLength"])

    def chunks(self, name: str) -> Iterator[bytes]:
        """See ObjectStore."""
        key = self._prefix + checked(name)
        try:
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                version = self._hidden_version(error, key)
                found = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            yield from found["Body"].iter_chunks(CHUNK_BYTES)
        except (BotoCoreError, ClientError) as error:
            raise _reading(error, name) from error

    def path(self, name: str) -> Path | None:
        """An S3 store has no local files."""
        del name
        return None

    def url(self, name: str) -> str | None:
        """See ObjectStore; signing asks nobody."""
        if not self._is_presigned:
            return None
        wanted = {"Bucket": self._bucket, "Key": self._prefix + checked(name)}
        return str(self._client.generate_presigned_url("get_object", wanted, ExpiresIn=URL_VALID_S))

    def _holds(self, name: str, size: int) -> bool:
        try:
            return self.size(name) == size
        except MissingError:
            return False

    def _bucket_locks(self) -> bool:
        try:
            found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in NO_LOCK:
                return False
            raise unavailable(error) from error
        return found["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"

    def _hidden_version(self, error: ClientError, key: str) -> str:
        """The newest locked version below a mark of deletion; raises `error` when there is none."""
        if error.response["Error"]["Code"] not in GONE or not self.lock_mode():
            raise error
        page = self._client.list_object_versions(Bucket=self._bucket, Prefix=key)
        if not page.get("Versions"):
            raise error
        return page["Versions"][0]["VersionId"]


def _reading(error: Exception, name: str) -> RetailError:
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in GONE:
        return missing(name)
    return unavailable(error)


def unavailable(error: Exception) -> UnavailableError:
    """What S3's failures are called here."""
    return UnavailableError("objects.unavailable", because=str(error)[:200])

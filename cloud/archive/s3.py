"""Objects in an S3 bucket: the one module that knows boto3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloud.archive.objects import CHUNK_BYTES, checked, missing
from shared.kernel.canonical import sha256
from shared.kernel.errors import RetailError, UnavailableError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "objects/"
GONE = frozenset({"404", "NoSuchKey", "NotFound"})
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


class S3Objects:
    """See `ObjectStore`; keys are `objects/<sha256>`."""

    def __init__(self, place: S3Place) -> None:
        self._bucket = place.bucket
        self._client: S3Client = boto3.client(
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

    def put(self, data: bytes) -> str:
        """See ObjectStore."""
        name = sha256(data).hex()
        try:
            self._client.put_object(Bucket=self._bucket, Key=PREFIX + name, Body=data)
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error
        return name

    def size(self, name: str) -> int:
        """See ObjectStore."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=PREFIX + checked(name))
        except (BotoCoreError, ClientError) as error:
            raise _reading(error, name) from error
        return int(found["ContentLength"])

    def chunks(self, name: str) -> Iterator[bytes]:
        """See ObjectStore."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=PREFIX + checked(name))
            yield from found["Body"].iter_chunks(CHUNK_BYTES)
        except (BotoCoreError, ClientError) as error:
            raise _reading(error, name) from error

    def path(self, name: str) -> Path | None:
        """An S3 store has no local files."""
        del name
        return None


def _reading(error: Exception, name: str) -> RetailError:
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in GONE:
        return missing(name)
    return _unavailable(error)


def _unavailable(error: Exception) -> UnavailableError:
    return UnavailableError("objects.unavailable", because=str(error)[:200])

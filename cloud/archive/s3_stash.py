"""A stash in an S3 bucket: large files go up in parts, so memory holds one part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cloud.archive.objects import CHUNK_BYTES
from cloud.archive.s3 import GONE, S3Place, client_of, unavailable
from cloud.archive.stash import Stashed, StashWriter, checked_name, missing_file

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 << 20
"""S3 takes 10,000 parts: files of up to 160 GB."""


class S3Stash:
    """See `Stash`; keys are `<prefix><name>`."""

    def __init__(self, place: S3Place) -> None:
        self._bucket = place.bucket
        self._prefix = place.prefix
        self._client = client_of(place)

    def writer(self, name: str) -> StashWriter:
        """See Stash."""
        return _S3Writer(self._client, self._bucket, self._prefix + checked_name(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """See Stash."""
        key = self._prefix + checked_name(name)
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            yield from found["Body"].iter_chunks(CHUNK_BYTES)
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                raise missing_file(name) from None
            raise unavailable(error) from error
        except BotoCoreError as error:
            raise unavailable(error) from error

    def files(self, prefix: str) -> Iterator[Stashed]:
        """See Stash."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        try:
            for page in pages:
                for row in page.get("Contents", ()):
                    at_ms = int(row["LastModified"].timestamp() * 1000)
                    yield Stashed(row["Key"].removeprefix(self._prefix), row["Size"], at_ms)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def delete(self, name: str) -> None:
        """See Stash."""
        try:
            key = self._prefix + checked_name(name)
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def keeps_versions(self) -> bool:
        """See Stash."""
        try:
            found = self._client.get_bucket_versioning(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error
        return found.get("Status") == "Enabled"


class _S3Writer:
    """Small files in one piece; from the first full part on an upload in parts."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._waiting = bytearray()
        self._upload = ""
        self._parts: list[CompletedPartTypeDef] = []

    def write(self, data: bytes) -> None:
        """See StashWriter."""
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            part = bytes(self._waiting[:PART_BYTES])
            del self._waiting[:PART_BYTES]
            self._send(part)

    def finish(self) -> None:
        """See StashWriter."""
        rest = bytes(self._waiting)
        try:
            if not self._upload:
                self._client.put_object(Bucket=self._bucket, Key=self._key, Body=rest)
                return
            if rest:
                self._send(rest)
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload,
                MultipartUpload={"Parts": self._parts},
            )
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def abort(self) -> None:
        """See StashWriter; what a dead network leaves, the bucket's own rule clears."""
        if self._upload:
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload
                )

    def _send(self, part: bytes) -> None:
        try:
            if not self._upload:
                begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._key)
                self._upload = begun["UploadId"]
            number = len(self._parts) + 1
            done = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload,
                PartNumber=number,
                Body=part,
            )
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error
        self._parts.append({"ETag": done["ETag"], "PartNumber": number})

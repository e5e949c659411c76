"""Where objects lie, by the settings: an S3 bucket, or a local folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cloud.archive.objects import FileObjects, ObjectStore
from cloud.archive.stash import FileStash, Stash
from cloud.settings import Settings
from shared.kernel.errors import RefusedError

if TYPE_CHECKING:
    from cloud.archive.s3 import LockMode, S3Place

LOCK_MODES: dict[str, LockMode] = {"COMPLIANCE": "COMPLIANCE", "GOVERNANCE": "GOVERNANCE"}


def objects_of(settings: Settings) -> ObjectStore:
    """What is published: an S3 bucket where one is named, a local folder otherwise."""
    if not settings.s3_bucket:
        return FileObjects(Path(settings.object_dir))
    # boto3 takes half a second to load: only who names a bucket pays for it.
    from cloud.archive.s3 import S3Objects  # noqa: PLC0415

    place = replace(_place(settings, settings.s3_bucket), is_presigned=settings.s3_presign)
    return S3Objects(place)


def archive_of(settings: Settings) -> ObjectStore:
    """The journal's archive, apart from what is published.

    Raises RefusedError `settings.value` for an unknown kind of lock.
    """
    mode = settings.archive_lock_mode
    if mode not in LOCK_MODES:
        allowed = ", ".join(LOCK_MODES)
        raise RefusedError("settings.value", field="archive_lock_mode", value=mode, allowed=allowed)
    bucket = settings.archive_bucket or settings.s3_bucket
    if not bucket:
        return FileObjects(Path(settings.object_dir) / "archive")
    from cloud.archive.s3 import S3Objects  # noqa: PLC0415

    return S3Objects(replace(_place(settings, bucket), prefix="archive/", lock=LOCK_MODES[mode]))


def stash_of(settings: Settings) -> Stash:
    """Where backups lie: best a bucket of their own, in another region, that keeps versions."""
    bucket = settings.backup_bucket or settings.archive_bucket or settings.s3_bucket
    if not bucket:
        return FileStash(Path(settings.object_dir) / "backup")
    from cloud.archive.s3_stash import S3Stash  # noqa: PLC0415

    return S3Stash(replace(_place(settings, bucket), prefix="backup/"))


def _place(settings: Settings, bucket: str) -> S3Place:
    from cloud.archive.s3 import S3Place  # noqa: PLC0415

    return S3Place(
        bucket=bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )

"""Who this box is: what enrolment gave it, in `identity.json` of the data folder."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.kernel.errors import CorruptError, MissingError
from shared.kernel.ids import DeviceId, StoreId, StreamId

IDENTITY_FILE = "identity.json"
RETIRING_FILE = "retiring"
RETIRING = "retiring"
"""The status of a box that was replaced (`shared.wire.message.DesiredState`)."""
SECRET_FILE_MODE = 0o600
_MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True, slots=True)
class BusinessDayKnown:
    """A business date and whether it was still open."""

    biz: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class PreviousStream:
    """A journal of this store that is still open: whose, and how far the cloud had it.

    `seq` and `hash` (hex) of the last entry that the cloud holds, -1 and "" for none;
    `journal_pub` (hex) is the key that its entries are signed with.
    """

    stream: str
    seq: int
    hash: str
    journal_pub: str
    dev: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer to an enrolment. `secret` opens the broker and the object store."""

    dev: DeviceId
    secret: str
    store_id: StoreId
    store_name: str
    zone: str
    """Time zone name (IANA) of the store."""
    currency: str
    stream: StreamId
    ordinal: int
    broker_host: str
    broker_port: int
    hq_pub: str
    """HQ's Ed25519 public key, hex: the only one that may set prices."""
    price_zone: str
    cloud_url: str
    cause: str = "enrol"
    """Why the first journal of this box begins: `enrol`, or `swap` after another box."""
    previous: tuple[PreviousStream, ...] = ()
    """Journals of the boxes before this one, whose last entries may still be to be handed in."""
    day: BusinessDayKnown | None = None
    """The store's newest business day as the cloud knew it at enrolment."""
    public_url: str = ""
    """Where anybody can have a receipt checked; "" when the cloud named no address."""

    @classmethod
    def from_answer(cls, answer: dict[str, Any], cloud_url: str) -> Identity:
        """Read the body of `POST /v1/enrol`; KeyError when a field is missing."""
        return cls(
            dev=DeviceId(answer["dev"]),
            secret=answer["secret"],
            store_id=StoreId(answer["store_id"]),
            store_name=answer["store_name"],
            zone=answer["zone"],
            currency=answer["currency"],
            stream=StreamId(answer["stream"]),
            ordinal=int(answer["ordinal"]),
            broker_host=answer["broker"]["host"],
            broker_port=int(answer["broker"]["port"]),
            hq_pub=answer["hq_pub"],
            price_zone=answer["price_zone"],
            cloud_url=cloud_url,
            cause=str(answer.get("cause", "enrol")),
            previous=tuple(_previous_of(each) for each in answer.get("previous") or ()),
            day=_day_of(answer.get("day")),
            public_url=str(answer.get("public_url") or ""),
        )


class Standing:
    """Whether head office took this box out of service: a file, so that a restart knows it too."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / RETIRING_FILE

    def is_retiring(self) -> bool:
        """Whether new sales belong to another box."""
        return self._path.exists()

    def told(self, status: str) -> bool:
        """Take over the status that the cloud desires; whether that is news."""
        is_retiring = status == RETIRING
        if is_retiring == self.is_retiring():
            return False
        if is_retiring:
            self._path.touch(mode=SECRET_FILE_MODE)
        else:
            self._path.unlink(missing_ok=True)
        sync_folder(self._path.parent)
        return True


def hardware_fingerprint() -> str:
    """32 hex digits that stay with this machine; of its host name where it has no machine id."""
    try:
        seed = _MACHINE_ID.read_text(encoding="ascii").strip()
    except OSError:
        seed = os.uname().nodename
    return hashlib.sha256(f"tillbox:{seed}".encode()).hexdigest()[:32]


def load_identity(data_dir: Path) -> Identity:
    """Read who this box is; `identity.missing` before enrolment, `identity.corrupt` if damaged."""
    path = data_dir / IDENTITY_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        previous = tuple(_previous_of(each) for each in fields.pop("previous", ()))
        day = _day_of(fields.pop("day", None))
        return Identity(**fields, previous=previous, day=day)
    except FileNotFoundError:
        raise MissingError("identity.missing", path=str(path)) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptError("identity.corrupt", path=str(path)) from error


def _previous_of(fields: dict[str, Any]) -> PreviousStream:
    return PreviousStream(
        stream=str(fields["stream"]),
        seq=int(fields["seq"]),
        hash=str(fields["hash"]),
        journal_pub=str(fields["journal_pub"]),
        dev=str(fields["dev"]),
    )


def _day_of(fields: dict[str, Any] | None) -> BusinessDayKnown | None:
    return None if fields is None else BusinessDayKnown(str(fields["biz"]), bool(fields["is_open"]))


def save_identity(data_dir: Path, identity: Identity) -> Path:
    """Write the identity so that only its owner can read it; whole or not at all."""
    path = data_dir / IDENTITY_FILE
    data = json.dumps(asdict(identity), indent=2, ensure_ascii=False).encode()
    write_secret(path, data)
    return path


def write_secret(path: Path, data: bytes) -> None:
    """Replace `path` by `data` with mode 0600, durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_FILE_MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

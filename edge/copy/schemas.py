"""What pages and boxes say to each other about copies."""

from __future__ import annotations

from pydantic import BaseModel, Field

OFFERS_MAX = 64
SEQ_MAX = (1 << 53) - 1
"""Numbers that a page can say exactly."""


class OfferedBody(BaseModel):
    """What a page holds of a journal: the first and the last entry, and the last one's hash."""

    stream: str = Field(pattern=r"^[0-9a-f]{32}$")
    first: int = Field(ge=0, le=SEQ_MAX)
    last: int = Field(ge=0, le=SEQ_MAX)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class WantedAsk(BaseModel):
    """Everything that a page holds, journal by journal."""

    held: list[OfferedBody] = Field(max_length=OFFERS_MAX)


class RangeBody(BaseModel):
    """Entries `first` to `last`."""

    first: int
    last: int


class WantedBody(BaseModel):
    """What of a journal is wanted; the copies up to `acked` (-1 for none) may be dropped."""

    stream: str
    acked: int
    ranges: list[RangeBody]


class WantedAnswer(BaseModel):
    """The same, journal by journal, in the order of the question."""

    wanted: list[WantedBody]


class TakenBody(BaseModel):
    """How many of the copies were new to this box."""

    new: int

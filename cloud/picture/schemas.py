"""Shapes of the picture endpoints."""

from __future__ import annotations

from pydantic import BaseModel


class ItemPicture(BaseModel):
    """A picture that is kept; `image` is what an item names it by. Sizes in dots and bytes."""

    image: str
    width: int
    height: int
    bytes: int


class Logo(BaseModel):
    """A picture as the setting `logo` holds it: PNG in black and white, base64."""

    png: str
    width: int
    height: int

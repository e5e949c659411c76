"""Uploaded pictures are made anew: dots come through, nothing else."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cloud.picture import remake
from shared.config.settings import LOGO_BYTES_MAX, check_setting
from shared.kernel.errors import RefusedError

SECRET = b"<script>alert(1)</script>"


def a_file(kind: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **how: object) -> bytes:
    """A picture whose left half is red."""
    picture = Image.new(mode, size, "white")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def made(data: bytes) -> Image.Image:
    """What becomes of a file, read again."""
    return Image.open(io.BytesIO(remake.item_picture(io.BytesIO(data)).data))


@pytest.mark.parametrize("kind", remake.FORMATS)
def test_each_format_becomes_the_same_one(kind: str) -> None:
    found = made(a_file(kind))
    assert (found.format, found.size) == ("WEBP", (40, 20))
    red, green, _ = found.convert("RGB").getpixel((5, 10))  # type: ignore[misc]
    assert red > 200
    assert green < 60


def test_what_stands_beside_the_dots_is_gone() -> None:
    notes = PngInfo()
    notes.add_text("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x8825] = {1: "N"}  # where the photograph was taken
    files = [
        a_file("PNG", pnginfo=notes) + SECRET,
        a_file("JPEG", exif=exif, comment=SECRET) + SECRET,
        a_file("WEBP", exif=exif, xmp=SECRET) + SECRET,
    ]
    for file in files:
        assert SECRET in file
        data = remake.item_picture(io.BytesIO(file)).data
        assert SECRET not in data
        found = Image.open(io.BytesIO(data))
        assert not found.getexif()
        assert not set(found.info) & {"exif", "xmp", "icc_profile", "comment"}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "L"), ("WEBP", "RGB")],
)
def test_a_photograph_that_lies_on_its_side_stands_up(kind: str, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert made(a_file(kind, (40, 20), mode, exif=exif)).size == (20, 40)
    assert made(a_file(kind, (1500, 900), mode, exif=exif)).size == (307, 512)


def test_a_large_photograph_becomes_small_and_transparent_ones_stay_so() -> None:
    assert made(a_file("JPEG", (3000, 1500))).size == (512, 256)
    clear = io.BytesIO()
    Image.new("RGBA", (600, 600), (0, 0, 0, 0)).save(clear, "PNG")
    found = made(clear.getvalue())
    assert (found.mode, found.size, found.getpixel((9, 9))) == ("RGBA", (512, 512), (0, 0, 0, 0))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_restless_photograph_is_small_too(mode: str) -> None:
    size = 600 * 600 * len(mode)
    noise = b"".join(hashlib.sha256(n.to_bytes(4)).digest() for n in range(size // 32))
    picture = Image.frombytes(mode, (600, 600), noise)
    file = io.BytesIO()
    picture.save(file, "PNG")
    found = remake.item_picture(io.BytesIO(file.getvalue()))
    assert len(found.data) <= remake.KEPT_BYTES_MAX
    assert remake.is_kept(found.data)


def a_bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        size, check = struct.pack(">I", len(data)), struct.pack(">I", zlib.crc32(kind + data))
        return size + kind + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9))


def an_endless_jpeg(scans: int) -> bytes:
    """A progressive JPEG that says its last refinement again and again."""
    data = a_file("JPEG", (160, 80), "L", progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * scans + b"\xff\xd9"


def test_a_photograph_that_gets_finer_step_by_step_is_read() -> None:
    assert made(an_endless_jpeg(20)).size == (160, 80)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (an_endless_jpeg(101), "picture.unreadable"),
        (b"", "picture.unreadable"),
        (b"GIF89a" + bytes(40), "picture.unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture.unreadable"),
        (b"%PDF-1.7", "picture.unreadable"),
        (a_file("PNG")[:60], "picture.unreadable"),
        (a_file("GIF"), "picture.unreadable"),
        (a_bomb(6_000), "picture.too_big"),
        (a_bomb(60_000), "picture.unreadable"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(data: bytes, code: str) -> None:
    for make in (remake.item_picture, remake.logo):
        with pytest.raises(RefusedError) as refused:
            make(io.BytesIO(data))
        assert refused.value.code == code


def test_a_logo_is_black_and_white_and_fits_the_paper() -> None:
    found = remake.logo(io.BytesIO(a_file("JPEG", (1200, 300))))
    again = Image.open(io.BytesIO(found.data))
    assert (again.format, again.mode, again.size) == ("PNG", "1", (576, 144))
    assert again.getpixel((500, 70)) == 255
    assert len(found.data) <= LOGO_BYTES_MAX


def test_what_is_transparent_in_a_logo_stays_paper() -> None:
    clear = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    file = io.BytesIO()
    clear.save(file, "PNG")
    again = Image.open(io.BytesIO(remake.logo(io.BytesIO(file.getvalue())).data))
    assert again.getcolors() == [(5000, 255)]


def test_the_setting_of_a_logo_is_a_png_or_nothing() -> None:
    check_setting("logo", {"png": ""})
    for text in ("R0lGODlh", "%%%", None, 7, "iVBORw0KGgo" + "A" * 40_001):
        with pytest.raises(RefusedError, match=r"config\.value"):
            check_setting("logo", {"png": text})

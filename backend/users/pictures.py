"""Pictures from outside, made harmless: decoded, cut square, made small, and written anew with nothing else in them.

What is kept is our own encoding of pixels, so that no metadata (EXIF has the place where a photograph was taken), no
second content and no malformed data of the upload reaches anybody.
"""

from __future__ import annotations

import io
import struct
from threading import BoundedSemaphore
from typing import IO

from PIL import ExifTags, Image, ImageOps

from common.errors import Refusal

FORMATS = ("JPEG", "PNG", "WEBP")
MIME = "image/webp"
SIDE = 512
"""Pixels of each side at most; a smaller picture is not blown up."""
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
"""Of the upload, width times height: a 24 megapixel photograph. Decoded it takes four bytes for each."""
AT_ONCE = 1
"""Pictures that one server process decodes at the same time: the largest takes some 300 MB for a second or two."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation (CIPA DC-008, 4.6.5: tag 0x0112)."""

PICTURE_PROBLEMS = (
    "empty_file",
    "too_large",
    "not_a_picture",
    "truncated",
    "too_many_pixels",
    "storage_full",
    "storage_unavailable",
)
"""The codes of `square`."""

_room = BoundedSemaphore(AT_ONCE)


def square(file: IO[bytes], *, size: int, field: str) -> bytes:
    """A JPEG, PNG or WebP picture of `size` bytes as a square WebP: its middle, upright, the first of many frames.

    Raises Refusal about `field`: `empty_file`, `too_large`, `not_a_picture`, `truncated`, `too_many_pixels`.
    """
    if not size:
        raise Refusal("empty_file", "The file has no content.", field=field)
    if size > MOST_BYTES:
        raise Refusal(
            "too_large", f"A picture may have {MOST_BYTES // 1024**2} MB; this has more.", field=field
        )
    with _room, _opened(file, field) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise _too_many_pixels(f"{width} × {height}", field)
        turned = _turned(picture)
        picture.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded at a fraction of its size, if that will do
        try:
            picture.load()
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            raise Refusal("truncated", "The picture is damaged or incomplete.", field=field) from error
        return _written_anew(picture, turned)


def _opened(file: IO[bytes], field: str) -> Image.Image:
    """The picture, its header read and nothing decoded."""
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels("too many", field) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Refusal("not_a_picture", "Give a JPEG, PNG or WebP picture.", field=field) from error


def _too_many_pixels(has: str, field: str) -> Refusal:
    return Refusal(
        "too_many_pixels",
        f"The picture has {has} pixels; at most {MOST_PIXELS // 1_000_000} million are taken.",
        field=field,
    )


def _turned(picture: Image.Image) -> Image.Transpose | None:
    """How to turn the picture. EXIF that cannot be read turns nothing: the pixels are good without it."""
    try:
        return TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (OSError, SyntaxError, ValueError, TypeError, struct.error):
        return None


def _written_anew(picture: Image.Image, turned: Image.Transpose | None) -> bytes:
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    side = min(SIDE, *picture.size)
    cut = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    if turned is not None:
        cut = cut.transpose(turned)
    written = io.BytesIO()
    cut.save(written, "WEBP", quality=85)
    return written.getvalue()

"""Pictures of people: what is taken, what is kept, who may set them, and how they are served."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from clients.models import Client
from common import throttling
from common.errors import Refusal
from users import avatars, pictures
from users.models import User
from users.tests.support import trail

MINE = "/api/auth/me/avatar/"


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def quarters(width: int = 80, height: int = 60) -> Image.Image:
    """Red and green above blue and white: shows which way up it is."""
    image = Image.new("RGB", (width, height))
    for place, colour in enumerate(("red", "lime", "blue", "white")):
        box = (width // 2 * (place % 2), height // 2 * (place // 2))
        image.paste(colour, (*box, box[0] + width // 2, box[1] + height // 2))
    return image


def square(content: bytes) -> Image.Image:
    """The picture that is made of a file."""
    made = Image.open(io.BytesIO(pictures.square(io.BytesIO(content), size=len(content), field="file")))
    made.load()
    return made


def refusal(content: bytes) -> str:
    """The code with which a file is refused."""
    with pytest.raises(Refusal) as refused:
        square(content)
    assert refused.value.field == "file"
    return refused.value.code


# --- what is made of a file --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"])
def test_every_kind_becomes_a_square_webp(kind: str, mode: str) -> None:
    if (kind, mode) in {("JPEG", "RGBA"), ("JPEG", "LA"), ("JPEG", "P"), ("PNG", "CMYK")}:
        with pytest.raises(OSError, match="cannot write"):
            encoded(Image.new(mode, (9, 9)), kind)
        return
    made = square(encoded(Image.new(mode, (700, 600)), kind))
    assert (made.format, made.size) == ("WEBP", (512, 512))
    assert made.mode == ("RGBA" if mode in {"RGBA", "LA"} else "RGB")


@pytest.mark.parametrize(
    ("size", "side"),
    [((512, 512), 512), ((2000, 1000), 512), ((100, 300), 100), ((1, 1), 1), ((60_000, 2), 2)],
)
def test_its_middle_is_kept_and_a_small_one_is_not_blown_up(size: tuple[int, int], side: int) -> None:
    assert square(encoded(Image.new("L", size), "JPEG")).size == (side, side)


def test_the_middle() -> None:
    wide = Image.new("RGB", (90, 30), "red")
    wide.paste("blue", (30, 0, 60, 30))
    red, _, blue = square(encoded(wide)).getpixel((15, 15))
    assert (red < 60, blue > 190) == (True, True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright_and_tells_nothing_else(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = "taken at home"
    file = encoded(
        quarters(60, 60), "JPEG", exif=exif, quality=95, comment=b"secret", icc_profile=b"secret" * 9
    )
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))  # Pillow's own, as the reference
    made = square(file)
    corners = [(8, 8), (52, 8), (8, 52), (52, 52)]
    for corner in corners:
        pairs = zip(made.getpixel(corner), upright.getpixel(corner), strict=True)
        assert all(abs(ours - theirs) < 50 for ours, theirs in pairs), corner
    assert not {"exif", "icc_profile", "xmp", "comment"} & made.info.keys()
    assert not made.getexif()
    kept = pictures.square(io.BytesIO(file), size=len(file), field="file")
    assert b"secret" not in kept
    assert b"home" not in kept


def test_transparency_is_kept() -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert square(encoded(image)).getpixel((20, 20))[3] == 0
    palette = Image.new("P", (40, 40))
    assert square(encoded(palette, transparency=0)).mode == "RGBA"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_many_frames_the_first_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue")]
    made = square(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert getattr(made, "n_frames", 1) == 1
    assert made.getpixel((30, 30))[0] > 200


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes) -> bytes:
    """A grey PNG that says it has this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            *more,
            chunk(b"IDAT", pixels),
            chunk(b"IEND", b""),
        ]
    )


def webp_canvas(side: int) -> bytes:
    """An animated WebP whose header says it has this size."""
    frame = Image.new("RGBA", (16, 16))
    file = bytearray(
        encoded(frame, "WEBP", save_all=True, append_images=[Image.new("RGBA", (16, 16), "red")])
    )
    place = file.index(b"VP8X") + 12
    file[place : place + 6] = (side - 1).to_bytes(3, "little") * 2
    return bytes(file)


def one_pixel(kind: str) -> bytes:
    return encoded(Image.new("RGB", (1, 1)), kind)


REFUSED = {
    "empty": (b"", "empty_file"),
    "text": (b"hello", "not_a_picture"),
    "SVG with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not_a_picture"),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "not_a_picture"),
    "GIF": (one_pixel("GIF"), "not_a_picture"),
    "BMP": (one_pixel("BMP"), "not_a_picture"),
    "TIFF": (one_pixel("TIFF"), "not_a_picture"),
    "PNG of no size": (png(0, 0), "not_a_picture"),
    "PNG cut short": (encoded(Image.effect_noise((90, 90), 80))[:-3000], "truncated"),
    "JPEG cut short": (encoded(Image.effect_noise((90, 90), 80), "JPEG")[:3000], "truncated"),
    "WebP cut short": (encoded(Image.effect_noise((90, 90), 80), "WEBP")[:-900], "not_a_picture"),
    "a pixel too many": (encoded(Image.new("1", (5000, 5001))), "too_many_pixels"),
    "PNG bomb": (png(2**31 - 1, 2**31 - 1), "too_many_pixels"),
    "PNG of 100 megapixels": (png(10_000, 10_000), "too_many_pixels"),
    "WebP bomb": (webp_canvas(16_383), "too_many_pixels"),
    "PNG text bomb": (
        png(4, 4, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 100_000_000, 1))),
        "not_a_picture",
    ),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str) -> None:
    content, code = REFUSED[what]
    assert refusal(content) == code


def test_a_file_too_large_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    assert refusal(b"x" * 101) == "too_large"
    assert refusal(b"x" * 100) == "not_a_picture"


SAMPLES = {kind: encoded(quarters(), kind, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0") for kind in pictures.FORMATS}


@pytest.mark.filterwarnings(
    "ignore:Corrupt EXIF data", "ignore:Tag data larger than file", "ignore:Truncated File"
)
@given(
    kind=st.sampled_from(pictures.FORMATS),
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
)
def test_whatever_is_sent_is_a_picture_or_refused(kind: str, damage: list[tuple[float, int]]) -> None:
    content = bytearray(SAMPLES[kind])
    for place, value in damage:
        content[int(place * len(content))] = value
    with suppress(Refusal):
        assert square(bytes(content)).format == "WEBP"


# --- setting, serving, removing ----------------------------------------------------------------------------


def put(client: Any, url: str, content: bytes | None = None, name: str = "me.png") -> Any:
    """Sends a picture."""
    file = SimpleUploadedFile(name, encoded(quarters()) if content is None else content)
    return client.put(url, {"file": file}, format="multipart")


def files() -> list[Path]:
    """What lies in the storage."""
    column = User._meta.get_field("avatar")
    folder = Path(column.storage.path("avatars"))
    return sorted(folder.iterdir()) if folder.exists() else []


def test_ones_own_picture(call: Any, shop: Any, django_capture_on_commit_callbacks: Any) -> None:
    mine = call(shop.floor_user)
    assert mine.get("/api/auth/me/").data["avatar"] is None
    answer = put(mine, MINE, name="../../home.php")
    assert answer.status_code == 200, answer.data
    link = answer.data["avatar"]
    assert mine.get("/api/auth/me/").data["avatar"] == link
    assert call(shop.admin).get(f"/api/users/{shop.floor_user.pk}/").data["avatar"] == link
    (stored,) = files()
    assert stored.suffix == ".webp"

    served = call().get(link)
    assert (served.status_code, served["Content-Type"], served["X-Content-Type-Options"]) == (
        200,
        "image/webp",
        "nosniff",
    )
    assert b"".join(served.streaming_content) == stored.read_bytes()
    assert call().get(link, HTTP_IF_NONE_MATCH=served["ETag"]).status_code == 304

    with django_capture_on_commit_callbacks(execute=True):
        second = put(mine, MINE).data["avatar"]
    assert second != link
    assert len(files()) == 1
    assert stored not in files()
    assert call().get(link).status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        answers = [mine.delete(MINE) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert mine.get("/api/auth/me/").data["avatar"] is None
    assert files() == []
    assert call().get(second).status_code == 404
    changes = trail("update")
    assert [change.details["after"].keys() for change in changes] == [{"avatar"}] * 3


def test_a_link_is_signed_for_its_person(call: Any, shop: Any) -> None:
    link = put(call(shop.admin), MINE).data["avatar"]
    others = link.replace(f"/avatar/{shop.admin.pk}/", f"/avatar/{shop.floor_user.pk}/")
    assert others != link
    assert call().get(others).status_code == 403
    assert call().get(link.partition("?")[0]).status_code == 403
    assert avatars.media_picture(shop.floor_user.pk, "") is None
    assert avatars.media_picture(10**6, "x") is None


def test_somebody_elses_picture(call: Any, shop: Any, other_shop: Any, staff: User) -> None:
    cases = [
        (shop.admin, shop.floor_user, 200),
        (shop.admin, other_shop.floor_user, 404),
        (shop.admin, staff, 404),
        (shop.floor_user, shop.admin, 403),
        (shop.floor_user, shop.floor_user, 403),
        (staff, other_shop.admin, 200),
        (None, shop.admin, 401),
    ]
    for caller, whose, expected in cases:
        url = f"/api/users/{whose.pk}/avatar/"
        assert put(call(caller), url).status_code == expected
        removed = call(caller).delete(url).status_code
        assert removed == (204 if expected == 200 else expected)
    answer = put(call(shop.admin), f"/api/users/{shop.floor_user.pk}/avatar/")
    assert (answer.data["id"], answer.data["avatar"][:14]) == (shop.floor_user.pk, "/media/avatar/")


@pytest.mark.parametrize("where", ["own", "colleague"])
def test_a_file_that_is_refused_changes_nothing(where: str, call: Any, shop: Any) -> None:
    url = MINE if where == "own" else f"/api/users/{shop.admin.pk}/avatar/"
    before = put(call(shop.admin), url).data["avatar"]
    for content, code in ((b"", "empty_file"), (b"hello", "not_a_picture")):
        answer = put(call(shop.admin), url, content)
        assert (answer.status_code, answer.data["code"]) == (400, code)
        assert answer.data["errors"][0]["field"] == "file"
    nothing = call(shop.admin).put(url, {}, format="multipart")
    assert (nothing.status_code, nothing.data["errors"][0]["code"]) == (400, "required")
    assert call(shop.admin).put(url, {"file": "me.png"}).status_code == 415
    assert call(shop.admin).get("/api/auth/me/").data["avatar"] == before
    assert len(files()) == 1


def test_a_failed_write_leaves_no_file(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "save", lambda *args, **kwargs: 1 / 0)
    upload = SimpleUploadedFile("me.png", encoded(quarters()))
    with pytest.raises(ZeroDivisionError):
        avatars.set_avatar(user=shop.admin, upload=upload)
    assert files() == []


def test_the_picture_goes_with_its_person(
    call: Any, shop: Any, django_capture_on_commit_callbacks: Any
) -> None:
    put(call(shop.floor_user), MINE)
    with django_capture_on_commit_callbacks(execute=True):
        assert call(shop.admin).delete(f"/api/users/{shop.floor_user.pk}/").status_code == 204
    assert files() == []


def test_who_is_gone_meanwhile_gets_no_picture(shop: Any) -> None:
    ghost = User(pk=10**6)
    for act in (
        lambda: avatars.remove_avatar(user=ghost),
        lambda: avatars.set_avatar(user=ghost, upload=SimpleUploadedFile("a.png", encoded(quarters()))),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "not_found"
    assert files() == []


def test_pictures_are_limited(call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttling.LIMITS, "avatar.user", throttling.Limit(1, 900))
    statuses = [
        put(call(shop.admin), url).status_code for url in (MINE, f"/api/users/{shop.admin.pk}/avatar/")
    ]
    assert statuses == [200, 429]


def test_a_locked_business_leaves_people_their_own(call: Any, shop: Any) -> None:
    Client._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    assert put(call(shop.admin), MINE).status_code == 200
    answer = put(call(shop.admin), f"/api/users/{shop.floor_user.pk}/avatar/")
    assert (answer.status_code, answer.data["code"]) == (403, "client_suspended")

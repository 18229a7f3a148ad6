"""Finding the voices of each engine by the files they are installed with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import espeakng_loader

from announcements.speech.values import Voice

# By ear and repute: neural, unit selection with HMM, HMM, diphones, formants. Within an engine ±5.
_QUALITY = {"piper": 90, "pico": 70, "rhvoice": 60, "festival": 50, "flite": 45, "espeak": 20}

_SHARES = (Path("/usr/share"), Path("/usr/local/share"))


def _voice(engine: str, name: str, language: str, label: str, *, bonus: int = 0, **more: str | int) -> Voice:
    quality = _QUALITY[engine] + bonus
    order, source = int(more.get("order", 0)), str(more.get("source", ""))
    gender, key = str(more.get("gender", "")), str(more.get("key", name))
    return Voice(f"{engine}:{key}", engine, name, language, label, quality, gender, order, source)


def bcp47(code: str) -> str:
    """A language code of eSpeak or Piper ("en-us", "en_GB", "cmn") as a BCP 47 tag ("en-US", "zh")."""
    primary, *rest = code.replace("_", "-").split("-")
    tag = [{"cmn": "zh"}.get(primary.lower(), primary.lower())]
    private = False
    for part in rest:
        private = private or part == "x"
        known = len(part) == 2 and not private
        tag.append(part.upper() if known else part.title() if len(part) == 4 and not private else part)
    return "-".join(tag)


# Constructed languages and alphabets that no shop speaks to its customers; transcriptions are told by name.
_ESPEAK_LEFT_OUT = frozenset({"piqd", "py", "qdb", "qya", "sjn", "xex", "jbo", "lfn", "io", "ia", "en-shaw"})
# (key, variant, gender). By measurement of one sentence: f2 is steadier than the plain voice (150 periodic
# frames against 91) and less peaky (18 dB against 20) without being shrill, so it is the default.
_ESPEAK_VARIANTS = (("", "+f2", "female"), ("+male", "", "male"))


def _espeak(_: Path | None) -> Iterator[Voice]:
    """Languages of the bundled eSpeak NG, from its language files (`language CODE PRIORITY`)."""
    folder = Path(espeakng_loader.get_data_path()) / "lang"
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        fields = [line.split() for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
        codes = [line[1].lower() for line in fields if line[0] == "language"]
        if not codes or codes[0] in _ESPEAK_LEFT_OUT or "-latn" in file.name.lower():
            continue
        primary = codes[0].split("-")[0]
        ranks = [
            int(line[2]) if len(line) > 2 else 5
            for line in fields
            if line[0] == "language" and line[1].lower() == primary
        ]
        label = next((" ".join(line[1:]) for line in fields if line[0] == "name"), codes[0])
        name, order = file.relative_to(folder).as_posix(), min(ranks, default=15)
        for key, variant, gender in _ESPEAK_VARIANTS:
            about = f"eSpeak {label}, {gender}"
            later = order * 2 + (gender == "male")
            yield _voice(
                "espeak",
                name + variant,
                bcp47(codes[0]),
                about,
                key=codes[0] + key,
                order=later,
                gender=gender,
            )


def _pico(_: Path | None) -> Iterator[Voice]:
    """SVOX Pico: one voice per text analysis file, `de-DE_ta.bin`."""
    if shutil.which("pico2wave"):
        for share in _SHARES:
            for file in sorted((share / "pico/lang").glob("*_ta.bin")):
                tag = file.name.removesuffix("_ta.bin")
                yield _voice("pico", tag, tag, f"Pico ({tag})", gender="female")


_RHVOICE_LANGUAGES = {
    "Albanian": "sq",
    "Brazilian-Portuguese": "pt-BR",
    "Croatian": "hr",
    "Czech": "cs",
    "English": "en",
    "Esperanto": "eo",
    "Georgian": "ka",
    "Kyrgyz": "ky",
    "Macedonian": "mk",
    "Polish": "pl",
    "Russian": "ru",
    "Serbian": "sr",
    "Slovak": "sk",
    "Tatar": "tt",
    "Turkmen": "tk",
    "Ukrainian": "uk",
    "Uzbek": "uz",
}
_RHVOICE_REGIONS = {"slt": "en-US", "clb": "en-US", "bdl": "en-US", "alan": "en-GB"}
_RHVOICE_ACCENTED = frozenset({"lyubov", "evgeniy-eng"})  # Russian speakers of English


def _rhvoice(_: Path | None) -> Iterator[Voice]:
    """RHVoice: `voice.info` of each installed voice (lines KEY=VALUE)."""
    if not shutil.which("RHVoice-test"):
        return
    for share in _SHARES:
        for file in sorted((share / "RHVoice/voices").glob("*/voice.info")):
            lines = (line.partition("=") for line in file.read_text("utf-8").splitlines())
            info = {key.strip(): value.strip() for key, _, value in lines}
            language = _RHVOICE_LANGUAGES.get(info.get("language", ""))
            name = info.get("name", "")
            if language is None or not re.fullmatch(r"[\w-]+", name):
                continue
            key = name.lower()
            yield _voice(
                "rhvoice",
                name,
                _RHVOICE_REGIONS.get(key, language),
                f"RHVoice {name} ({info['language']})",
                bonus=-10 if key in _RHVOICE_ACCENTED else 0,
                key=key,
                gender=info.get("gender", ""),
                order=0 if info.get("gender") == "female" else 1,
            )


def _festival(_: Path | None) -> Iterator[Voice]:
    """Festival's English voices, by their folders; other languages need encodings of their own."""
    if not shutil.which("text2wave"):
        return
    for share in _SHARES:
        for group, tag in (("us", "en-US"), ("english", "en-GB")):
            for folder in sorted((share / "festival/voices" / group).glob("*")):
                name = folder.name
                if not re.fullmatch(r"\w+", name):
                    continue
                female = "_slt_" in name or "_clb_" in name
                trained = "_arctic" in name or "_hts" in name
                yield _voice(
                    "festival",
                    name,
                    "en-US" if name in ("kal_diphone", "ked_diphone") else tag,
                    f"Festival {name}",
                    bonus=0 if trained else -20,
                    gender="female" if female else "male",
                )


_FLITE = {  # name: (language, gender, bonus)
    "slt": ("en-US", "female", 0),
    "rms": ("en-US", "male", 0),
    "awb": ("en-GB", "male", -5),
    "kal16": ("en-US", "male", -20),
}


def _flite(_: Path | None) -> Iterator[Voice]:
    """Flite: its own list, less what is there for tests of time telling and 8 kHz."""
    program = shutil.which("flite")
    if program is None:
        return
    listed = subprocess.run([program, "-lv"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - found by which, no input
    for name in dict.fromkeys(listed.stdout.partition(":")[2].split()):
        if name in _FLITE:
            language, gender, bonus = _FLITE[name]
            order = list(_FLITE).index(name)
            yield _voice("flite", name, language, f"Flite {name}", bonus=bonus, gender=gender, order=order)


_PIPER_BONUS = {"x_low": -10, "low": -5, "medium": 0, "high": 5}


def _piper(folder: Path | None) -> Iterator[Voice]:
    """Piper: `NAME.onnx` with `NAME.onnx.json` in the folder that the operator gives.

    Another program of this name, a mouse configurator, is why Piper is not looked for without a folder.
    """
    if folder is None or not shutil.which("piper"):
        return
    for model in sorted(folder.glob("*.onnx")):
        settings = model.with_name(model.name + ".json")
        if not settings.is_file():
            continue
        about = json.loads(settings.read_text("utf-8"))
        code = about.get("language", {}).get("code") or about.get("espeak", {}).get("voice", "")
        name = model.stem
        if not code:
            continue
        bonus = _PIPER_BONUS.get(about.get("audio", {}).get("quality", ""), 0)
        label = f"Piper {about.get('dataset') or name} ({bcp47(code)})"
        yield _voice("piper", name, bcp47(code), label, bonus=bonus, source=str(model.absolute()))


FINDERS: tuple[Callable[[Path | None], Iterator[Voice]], ...] = (
    _piper,
    _pico,
    _rhvoice,
    _festival,
    _flite,
    _espeak,
)
"""One per engine: the voices at hand, given the folder of Piper voices."""

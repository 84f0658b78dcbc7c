"""Make the Korean font of the figures, a part of Noto Sans KR, from a package that is fetched."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from tools import kept, lessons

SOURCE = "justmytype-intl-cjk==0.1.0"
SOURCE_FOLDER, SOURCE_FONT, LICENCE = "/ofl/notosanskr/", "NotoSansKR[wght].ttf", "OFL.txt"
DOWNLOADS = lessons.ROOT / "build" / "font"
FOLDER = lessons.ROOT / "course_utils" / "fonts"
NAME = "CourseKorean"
FONT, STAMP = f"{NAME}.ttf", f"{NAME}.json"

FAMILY = "Course Korean"  # unlike a font of the machine, which may have other letters
WEIGHT = 400
WRITTEN = 0, 13, 14  # of the names: who has the copyright, the licence, and its address
SETTINGS = {"hinting": False, "layout_features": [], "notdef_outline": True, "name_IDs": list(WRITTEN)}
NOT_DRAWN_WITH = ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "gasp", "prep", "vhea", "vmtx"]  # tables

# Of KS X 1001: signs, wide letters, jamo and numbering; then the 2,350 syllables.
ROWS = [*range(1, 5), 8, 9, *range(16, 41)]
FIRST = "\u3000"  # what comes before is left to DejaVu Sans
SYLLABLES = range(0xAC00, 0xD7A4)  # all 11,172: each pair of a consonant and a vowel with its 28 finals
# None, ㄱ ㄴ ㄹ ㅁ ㅂ ㅅ ㅇ: by the rules of spelling, no other ends a syllable of a foreign word.
FOREIGN_FINALS = [0, 1, 4, 8, 16, 17, 19, 21]
ALSO = "年月日曜火水木金土"  # Japanese dates


def characters():
    """Return all that the font has: what KS X 1001 has for Korean, and what spells a foreign word or name."""
    codes = (bytes((0xA0 + row, 0xA0 + place)) for row in ROWS for place in range(1, 95))
    standard = {each for code in codes for each in code.decode("euc_kr", "ignore") if each >= FIRST}
    foreign = {chr(code) for code in SYLLABLES if (code - SYLLABLES[0]) % 28 in FOREIGN_FINALS}
    return "".join(sorted({*ALSO} | standard | foreign))


def key():
    """Return a short name for all that the font is made from."""
    return kept.key(SOURCE, FAMILY, WEIGHT, SETTINGS, NOT_DRAWN_WITH, characters())


def main():
    """Store the font, its licence, and what both were made from."""
    source, licence = fetch()
    font = make(source)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / FONT).write_bytes(font)
    (FOLDER / LICENCE).write_bytes(licence)
    stamp = {"source": SOURCE, "key": key(), "sha256": hashlib.sha256(font).hexdigest()}
    lessons.write(FOLDER / STAMP, json.dumps(stamp, indent=1) + "\n")
    print(f"Stored {FONT}: {len(characters())} characters, {len(font)} bytes.")


def fetch():
    """Return the font that the package ships, and its licence."""
    options = ("--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(DOWNLOADS))
    subprocess.run([sys.executable, "-m", "pip", "download", *options, SOURCE], check=True)
    name, version = SOURCE.split("==")
    (wheel,) = DOWNLOADS.glob(f"{name.replace('-', '_')}-{version}-*.whl")
    with zipfile.ZipFile(wheel) as files:
        inside = {file.split("/")[-1]: file for file in files.namelist() if SOURCE_FOLDER in file}
        return files.read(inside[SOURCE_FONT]), files.read(inside[LICENCE])


def make(source):
    """Return the part of a variable font that the course needs: its characters, in one weight.

    Raises:
        ValueError: the source lacks a character.
    """
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    if lacking := [each for each in characters() if ord(each) not in font.getBestCmap()]:
        raise ValueError(f"The font must have every character. Received: a font without {''.join(lacking)}")
    options = Options(**SETTINGS)
    options.drop_tables += NOT_DRAWN_WITH
    subsetter = Subsetter(options)
    subsetter.populate(text=characters())
    subsetter.subset(font)
    instantiateVariableFont(font, {"wght": WEIGHT}, inplace=True)
    names = {1: FAMILY, 2: "Regular", 3: f"{FAMILY} {key()}", 4: FAMILY, 5: f"Version {SOURCE}", 6: NAME}
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)  # Windows, Unicode, English: what all programs read
    with io.BytesIO() as file:
        font.save(file)
        return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())

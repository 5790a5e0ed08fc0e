"""What the end of a file's name says: a contrast, a channel, or that it holds labels."""

from __future__ import annotations

import re
from pathlib import Path

from napari_vol3d.core.channel_names import kind_of
from napari_vol3d.io.registry import stem

# In the order in which they are shown: the first image of a case is its reference.
ROLES = {
    role.lower(): role
    for role in (
        "T1", "T1w", "T1n", "UNIT1", "T1c", "T1ce", "T1Gd", "T1post", "T2", "T2w", "FLAIR", "T2f", "T2star", "T2starw",
        "PD", "PDw", "MP2RAGE", "DIR", "SWI", "DWI", "ADC", "CT", "CTA", "MR", "PET",
    )
}  # fmt: skip
# What else people call them; "bravo", "fl" and "flr" are names of other things too.
SPELLED = {"t1": "T1", "t1c": "T1c", "t2": "T2", "flair": "FLAIR", "pd": "PD"}
OTHER_THINGS = ("bravo", "fl", "flr")
LABELS = ("labels", "dseg", "seg", "segmentation", "label", "mask")  # the one to take comes first
IMAGES = ("image", "img", "scan")
CHANNEL = re.compile(r"(?:channel|ch)[ _-]?(\d{1,3})")
NUMBERED = re.compile(r"(?P<base>.*?)_(?P<channel>\d{4})")
ENDING = re.compile(r"(?P<base>.*?)(?:^|[_. -])(?P<end>(?:channel|ch)[ _-]?\d{1,3}|[a-z0-9]+)", re.IGNORECASE)
BEGINNING = re.compile(r"(?P<end>[A-Za-z0-9]+)[_. -](?P<base>.+)")
TWO_AT_END = re.compile(r"(?P<base>.*?)(?:^|[_. -])(?P<end>[A-Za-z0-9]+[_. -][A-Za-z0-9]+)")
TWO_AT_BEGINNING = re.compile(r"(?P<end>[A-Za-z0-9]+[_. -][A-Za-z0-9]+)[_. -](?P<base>.+)")
LABEL_ENDING = re.compile(
    rf"(?P<base>.*?)(?:^|[_. -])(?P<end>{'|'.join(LABELS)})(?:[_-](?:manual|corrected|gt))?", re.IGNORECASE
)
LABEL_FILE = ".seg.nrrd"


def split_role(name: str) -> tuple[str, str]:
    """Take the contrast or the channel off the end of a name without extension, else off its beginning.

    Returns
    -------
    str, str
        What is left, and the role as people spell it; ("chris_crop", "") where the name says none.

    Examples
    --------
    >>> split_role("chris_flair"), split_role("T2_007"), split_role("p01_T1_post"), split_role("chris_crop")
    (('chris', 'FLAIR'), ('007', 'T2'), ('p01', 'T1post'), ('chris_crop', ''))
    """
    for two, one in ((TWO_AT_END, ENDING), (TWO_AT_BEGINNING, BEGINNING)):
        for found, role_in in ((two.fullmatch(name), _role_of_two), (one.fullmatch(name), role_of)):
            role = role_in(found["end"]) if found else ""
            if found and role:
                return found["base"], role
    return name, ""


def role_of(word: str) -> str:
    """Give the role that a word says, as people spell it, marks within it left out; "" where it says none."""
    channel, plain = CHANNEL.fullmatch(word.lower()), re.sub(r"[_. -]", "", word.lower())
    if channel:
        return f"channel {int(channel[1])}"
    return ROLES.get(plain) or ("" if plain in OTHER_THINGS else SPELLED.get(kind_of(plain), ""))


def _role_of_two(words: str) -> str:
    """Give the role of "T1 post" or "T2-FLAIR": a kind of image, not just letters that together are a word."""
    return role_of(words) if kind_of(re.sub(r"[_. -]", "", words)) else ""


def order_of(role: str) -> tuple[int, int, str]:
    """Give what sorts roles: contrasts as listed here, then the others, channels by number."""
    known, number = list(ROLES), re.search(r"\d+", role)
    place = known.index(role.split(" ")[0].lower()) if role.split(" ")[0].lower() in ROLES else len(known)
    return place, int(number[0]) if number and place == len(known) else 0, role


def split_channel(name: str) -> tuple[str, int] | None:
    """Take nnU-Net's number of a channel off a name; None where it ends in none."""
    found = NUMBERED.fullmatch(name)
    return (found["base"], int(found["channel"])) if found and found["base"] else None


def split_labels(path: Path) -> tuple[str, int] | None:
    """Give the name that a label file says it belongs to, and how sure that is: 0 is the best; None: it says nothing.

    "" where it belongs to whatever lies beside it.

    Examples
    --------
    >>> split_labels(Path("chris_t1_mask.nii.gz")), split_labels(Path("mask.nii.gz"))
    (('chris_t1', 5), ('', 5))
    """
    name = stem(path)
    found = LABEL_ENDING.fullmatch(name)
    if found:
        return found["base"], LABELS.index(found["end"].lower())
    return (name, 0) if path.name.lower().endswith(LABEL_FILE) else None


def without_image(name: str) -> str:
    """Take "_image" off a name."""
    found = ENDING.fullmatch(name)
    return found["base"] if found and found["base"] and found["end"].lower() in IMAGES else name

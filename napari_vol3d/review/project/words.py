"""Words that files are called by which tell nobody who was scanned; all others may be of a person's name."""

from __future__ import annotations

import re
from unicodedata import normalize

from napari_vol3d.review.project.roles import IMAGES, LABELS, ROLES

SHORTEST = 3  # letters of a word that can tell who somebody is
LETTERS = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")
NUMBER = re.compile(r"\d{6,}")  # may be a day, or a number of a patient
# No word that is also a frequent family name, as "white" is.
WORDS = """
    acq anat annotator anon anonymized arm axial baseline batch brain case cell channel cine cohort contrast control
    coronal corrected crop cropped data dataset demo dir echo embryo eye fetal followup frame group head healthy
    heart img input kidney left lesion liver lost lung mask month mouse mri mra mrt mrs moving neck nii nuclei old
    organ original part participant patient person phantom phase pelvis post posterior anterior pre prostate proton
    raw reader resampled rec reference region report resliced right run sag sagittal sample scan screening sequence
    ser series ses session set side site slice space specimen spine stack stage structural structure study sub subj
    subject synthetic task template test testing time timepoint tissue tp train training trial tumor tumour unknown
    user val validation vessel view visit vol volume week whole year abdomen ankle aorta arteries artery axon axons
    bladder bone breast cardiac cerebellum chest colon cord cortex femur hip hippo hippocampus hippocampi knee
    lumbar muscle nerve pancreas rat retina rib shoulder skull spinal spleen stomach teeth thorax thyroid tibia
    tooth uterus vein vertebra vertebrae wrist matter microscopy tomography histology confocal lightsheet
    fluorescence angio angiography perfusion diffusion image images label labels color colour gold standard manual
    auto final first second third last
"""
KINDS = frozenset(WORDS.split()) | {word.casefold() for word in (*ROLES, *LABELS, *IMAGES)}


def unknown_words(text: str) -> tuple[str, ...]:
    """Give the words of three letters or more, in small letters, that say no kind of scan, study or person.

    Examples
    --------
    >>> unknown_words("sub-01_Mueller2, Anna brain T1w")
    ('mueller', 'anna')
    """
    return tuple(word for word in map(str.casefold, LETTERS.findall(one_form(text))) if word not in KINDS)


def long_numbers(text: str) -> tuple[str, ...]:
    """Give the numbers of six digits or more."""
    return tuple(NUMBER.findall(text))


def one_form(text: str) -> str:
    """Give letters with marks as one character each: file systems may keep them as two."""
    return normalize("NFC", text)

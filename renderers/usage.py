"""How clinicians write: units, and usual names beside the ontology's. Common usage, collected by us, uncited."""

from __future__ import annotations

import re

# By concept, or by the label in lower case: (other names, abbreviations)
USAGE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "LOINC:8867-4": (("pulse",), ("HR",)),
    "LOINC:8480-6": (("systolic pressure",), ("SBP", "systolic BP")),
    "LOINC:8462-4": (("diastolic pressure",), ("DBP", "diastolic BP")),
    "LOINC:9279-1": ((), ("RR",)),
    "LOINC:2708-6": (("oxygen saturation",), ("SaO2", "sats")),
    "LOINC:59408-5": (("oxygen saturation",), ("SpO2", "sats")),
    "LOINC:8310-5": (("temperature",), ("temp",)),
}

UNITS: dict[str, tuple[str, ...]] = {  # UCUM -> as written, the usual one first
    "": ("",), "1": ("",), "{score}": ("", "points"), "{points}": ("points", ""), "[Centiloid]": ("Centiloids", "CL"),
    "a": ("years", "yrs"), "mo": ("months",), "wk": ("weeks",), "d": ("days",), "h": ("hours", "h"),
    "min": ("minutes", "min"), "mL": ("mL", "ml"), "cm3": ("cm³", "cc"), "mm3": ("mm³",), "L": ("L", "litres"),
    "mm[Hg]": ("mmHg", "mm Hg"), "/min": ("/min", "per minute"), "{beats}/min": ("bpm", "beats/min"),
    "%": ("%",), "Cel": ("°C",), "kg": ("kg",), "cm": ("cm",), "mm": ("mm",), "kg/m2": ("kg/m²", "kg/m2"),
    "ug/L": ("µg/L", "mcg/L"), "ug/mL": ("µg/mL", "mcg/mL"), "10*9/L": ("×10⁹/L", "x10^9/L"),
    "10*3/uL": ("×10³/µL", "K/µL"), "[IU]/L": ("IU/L",), "U/L": ("U/L",), "[pH]": ("",),
}  # fmt: skip

# Words that begin labels and are written with a capital anywhere
PROPER_NAMES = frozenset({
    "Achilles", "Addison", "Alzheimer", "Arnold", "Babinski", "Bruch", "Brushfield", "Budd", "Chiari",
    "Chvostek", "Crohn", "Cushing", "Dandy", "Descemet", "Dupuytren", "Ebstein", "Epstein", "Fallot",
    "Fabry", "Fanconi", "Gaucher", "Gower", "Gowers", "Graves", "Hashimoto", "Heinz", "Henoch", "Hirschsprung",
    "Hodgkin", "Horner",
    "Howell", "Jaccoud", "Kayser", "Kussmaul", "Leber", "Legg", "Leigh", "Leydig", "Lisch", "Madelung", "Mallory",
    "Marcus",
    "Marfan", "Meckel", "Morgagni", "Oslers", "Parkinson", "Perthes", "Peyer", "Pierre", "Purkinje", "Rathke",
    "Raynaud", "Reye", "Romberg", "Schwann", "Sprengel", "Tietze", "Trendelenburg", "Trousseau",
    "Uhthoff", "Virchow", "Waardenburg", "Wilms", "Wolff",
})  # fmt: skip


# Names that ontologies still hold and that nobody should be called by
OUTDATED = re.compile(
    r"mongol|retarded|mental retard|gargoyl|cretin|imbecil|idiot|dwarf|simian|elfin|bird-?like", re.IGNORECASE
)

# Names that put the adjective last, as in an index: "palate high-arched"
INVERTED = re.compile(
    r"\w (high-arched|(down|up|low|deep|anti|wide|close|for)[\w-]*(ed|set|ing)"
    r"|absent|small|short|large|impaired|abnormal|increased|decreased|reduced)$|^\w+ed$",
    re.IGNORECASE,
)

# What everybody has two or more of, and what is spoken of as several
PAIRS = {
    "eye": "eyes", "ear": "ears", "foot": "feet", "hand": "hands", "finger": "fingers", "toe": "toes",
    "thumb": "thumbs", "palm": "palms", "eyebrow": "eyebrows", "nail": "nails", "earlobe": "earlobes",
    "metacarpal": "metacarpals", "metatarsal": "metatarsals", "phalanx": "phalanges", "rib": "ribs",
    "nipple": "nipples", "cheek": "cheeks", "fissure": "fissures", "fingernail": "fingernails", "toenail": "toenails",
    "hallux": "halluces", "ala": "alae", "knee": "knees", "elbow": "elbows", "bone": "bones", "notch": "notches",
    "metaphysis": "metaphyses", "epiphysis": "epiphyses", "scapula": "scapulae", "varix": "varices", "spasm": "spasms",
    "seizure": "seizures", "cramp": "cramps",
}  # fmt: skip
SINGLE = re.compile(r"\d|unilateral|left|right|supernumerary|accessory|horseshoe|fusion|first|fifth", re.IGNORECASE)
DEGREE = re.compile(r"(.+), (mild|moderate|severe|profound|borderline)", re.IGNORECASE)
SEEN_ON = re.compile(r"(EMG|EEG|ECG|EKG|MRI): (.+)")


def say_naturally(name: str) -> str:
    """An ontology's name of a finding in the words of a sentence: "severe intellectual disability", "neuropathic
    changes on EMG", and in the plural where its last word is an organ that everybody has two of: "deeply set eyes"."""
    if found := DEGREE.fullmatch(name):
        return f"{found[2].lower()} {found[1]}"
    if found := SEEN_ON.fullmatch(name):
        return f"{found[2]} on {found[1]}"
    words = name.split(" ")
    if words[-1].lower() not in PAIRS or SINGLE.search(name) or "of" in words:
        return name
    return " ".join((*words[:-1], PAIRS[words[-1].lower()]))


def write_unit(code: str) -> tuple[str, ...]:
    """How clinicians write a UCUM unit, the usual way first: brackets are UCUM's own, and annotations say no unit."""
    if code in UNITS:
        return UNITS[code]
    plain = re.sub(r"\{[^{}]*\}", "", code)
    return (re.sub(r"[\[\]]", "", plain).replace("u", "µ") if plain.startswith("u") else re.sub(r"[\[\]]", "", plain),)

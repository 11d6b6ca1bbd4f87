"""English at the level of words: articles, plurals, capitals, lists, numbers, dates and stretches of time."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # not strftime's, which follow the locale

# letters whose names begin with a vowel: "an MRI", "a CT"
VOWEL_LETTERS = set("AEFHILMNORSX")
SOUNDS_CONSONANT = re.compile(
    r"(uni(?!n|m)|use|usu|uri[cn]|ure|uter|eu|ewe|one\b|once\b|ubi|uveal?|uvei)", re.IGNORECASE
)
SOUNDS_VOWEL = re.compile(r"(hour|honest|heir)", re.IGNORECASE)

# the last words of a term before "of", "in", "with" … that are counted: they take an article
COUNTED = frozenset(
    """
    abdomen abnormality abscess adenoma agonist aneurysm anomaly antagonist antibody anus aorta appearance arch
    arteriosus atrium axis bladder block blocker border bridge bruit calculus callosum carcinoma cataract chest
    chin cleft coloboma columella complication concentration contracture count cranium crease crisis cry curve
    cyst defect deficit deformity density diameter dimple disc dislocation disorder dissection distance
    disturbance diuretic diverticulum duct ductus ear earlobe eeg effusion elbow electrocardiogram
    electromyogram electroretinogram embolus encephalocele episode exostosis face finger fissure fistula foramen
    forehead fracture frame fundus gait gap gland globe goiter goitre granuloma habitus hairline hallucination
    hallux hamartoma head heart height helix hemangioma hematoma hernia infarct infarction infection inhibitor
    insertion interval jaw kidney larynx length lesion level limb lip lipoma liver lobe lymphoma macula macule
    malformation mandible mass meatus melanoma meningioma mouth murmur myxoma nail neck neoplasm neurofibroma
    neuropathy nevus nipple nodule nose number occiput ovale palate palsy papilloma papule pattern pelvis penis
    phalanx philtrum pit plaque pneumothorax polyp pouch profile pupil rash rate ratio reaction response ridge ring
    root rupture scar score scrotum seizure septum shape shunt sign skull smile span spine spleen spot statin
    sternum stoma stone stroke syndrome tear tendency teratoma testis thorax threshold thrombus thumb time tip
    toe tongue tooth trachea transplant tremor trunk tumor tumour ulcer umbilicus uterus uvula vaccine valve
    variant velocity ventricle vermilion vertebra voice waist wave weight width
    """.split()  # noqa: SIM905
)
NOT_PLURAL = re.compile(
    r"(ss|us|is|pancreas|atlas|os|itis|sepsis|mellitus|feces|diabetes|herpes|scabies|caries|rabies|series|lens|pes|ascites|facies|synophrys)$"
)
PLURAL = frozenset(
    """
    teeth feet vertebrae epiphyses metaphyses phalanges genitalia ossicles exostoses naevi nevi testes
    hallucinations
    """.split()  # noqa: SIM905
)
LOWER_SPLIT = re.compile(
    r" (?:of|in|on|with|at|to|from|by|due|during|after|involving|affecting|for|without|under|within|among|near)\b"
    r"|,|\(|;"
)


@lru_cache(maxsize=65536)
def article(phrase: str) -> str:
    """`a` or `an`, by the sound that `phrase` begins with."""
    word = phrase.lstrip("\"'([ ")
    if not word:
        return "a"
    if word[0].isdigit():
        digits = re.match(r"\d+", word)
        number = digits.group() if digits else ""
        return "an" if number[0] == "8" or number in ("11", "18") else "a"
    first = re.split(r"[\s,;.]", word, maxsplit=1)[0]
    if first[:1].isupper() and (len(first) == 1 or not first[1:].islower()) and first.split("-")[0].isupper():
        return "an" if first[0] in VOWEL_LETTERS else "a"
    if SOUNDS_VOWEL.match(word) or re.match(r"[xmnfs]-", word, re.IGNORECASE):
        return "an"
    if SOUNDS_CONSONANT.match(word):
        return "a"
    return "an" if word[0].lower() in "aeiouáéíóúàèìòùäöüæœ" else "a"


@lru_cache(maxsize=65536)
def head_of(term: str) -> str:
    """The noun that a term is about: "cyst" of "Cyst of the ductus choledochus"."""
    words = LOWER_SPLIT.split(term, maxsplit=1)[0].split()
    return words[-1].lower() if words else ""


@lru_cache(maxsize=65536)
def is_plural(term: str) -> bool:
    """Whether verbs agree with `term` in the plural; long endings in -sis, -us, -ss and the like are singular."""
    head = head_of(term)
    return head in PLURAL or (len(head) > 3 and head.endswith("s") and not NOT_PLURAL.search(head))


UNCOUNTED = re.compile(
    r"^(no|absent|multiple|recurrent|frequent|involuntary)\b|\b(muscle|bone|body|fat|lean|bite) mass\b"
    r"|hyperactivity disorder",
    re.IGNORECASE,
)


@lru_cache(maxsize=65536)
def is_counted(term: str) -> bool:
    """Whether the singular `term` takes an article: "a seizure", but "hypotonia"."""
    return head_of(term) in COUNTED and "'s " not in term and not is_plural(term) and not UNCOUNTED.search(term)


def capitalise(text: str) -> str:
    """The first letter as a capital, save in symbols such as p-tau217 or pH."""
    if not text or (text[1:2] and (text[1].isupper() or text[1] in "-=:" or text[1].isdigit())):
        return text
    upper = text[0].upper()
    return upper + text[1:] if len(upper) == 1 else text  # ß has no single capital


COARSE = ("{score}", "[Centiloid]")  # units in which nobody writes a second decimal


def show_number(value: float, unit: str = "") -> str:
    """A number as a clinician writes it: three figures at most, one decimal for scores, none of trailing zeros."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = abs(value)
    if unit in COARSE or 10 <= size < 100:
        decimals = 1
    elif size >= 100:
        decimals = 0
    elif size >= 1:
        decimals = 2
    else:
        decimals = 2 if size >= 0.1 else 3
    text = f"{value:.{decimals}f}"
    shown = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if shown in ("-0", "") else shown


def say_number(number: int, *, words: bool) -> str:
    """Small numbers as words where the author does so."""
    return SMALL[number] if words and 0 < number < len(SMALL) else str(number)


DATE_STYLES = (
    "12 March 2026",
    "12 Mar 2026",
    "12/03/2026",
    "12.03.2026",
    "2026-03-12",
    "March 12, 2026",
    "12th March 2026",
)


def show_date(date: dt.date, style: str) -> str:
    """`date` in one of DATE_STYLES. Figures alone put the day first or the year first, never the month."""
    day, month, year = date.day, date.month, date.year
    name = MONTHS[month - 1]
    if style == "12 March 2026":
        return f"{day} {name} {year}"
    if style == "12 Mar 2026":
        return f"{day} {name[:3]} {year}"
    if style == "12/03/2026":
        return f"{day:02}/{month:02}/{year}"
    if style == "12.03.2026":
        return f"{day:02}.{month:02}.{year}"
    if style == "2026-03-12":
        return f"{year}-{month:02}-{day:02}"
    if style == "March 12, 2026":
        return f"{name} {day}, {year}"
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending} {name} {year}"


def show_month(date: dt.date, style: str) -> str:
    """Month and year, as the author of `style` would abbreviate them."""
    name = MONTHS[date.month - 1]
    return f"{name[:3] if style == '12 Mar 2026' else name} {date.year}"


HOURS = {
    "year": 365.25 * 24,
    "month": 365.25 * 2,
    "week": 168.0,
    "day": 24.0,
    "hour": 1.0,
    "minute": 1 / 60,
    "second": 1 / 3600,
}


def measure_span(hours: float) -> tuple[int, str]:
    """How long, as a whole number of the unit in which one would say it."""
    if hours < 1.5 / 60:
        return max(round(hours * 3600), 1), "second"
    if hours < 1.5:
        return (round(hours), "hour") if abs(hours - 1) < 0.1 else (max(round(hours * 60), 1), "minute")
    if hours < 48:
        return round(hours), "hour"
    days = hours / 24
    if days < 21:
        return round(days), "day"
    if days < 56:
        return round(days / 7), "week"
    months = round(hours / HOURS["month"])
    return (
        (months // 12, "year")
        if months % 12 == 0
        else (months, "month")
        if months < 36
        else (round(months / 12), "year")
    )


SHORT = {"year": "y", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s"}


def show_span(hours: float, *, words: bool, short: bool = False) -> str:
    """A stretch of time: "six months", "18 months", "2 y"."""
    number, unit = measure_span(hours)
    if short:
        return f"{number} {SHORT[unit]}"
    return f"{say_number(number, words=words)} {unit}{'' if number == 1 else 's'}"

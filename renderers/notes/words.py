"""What denies, doubts, or speaks of something else than this patient's present and past: the words of assertion.py.

NegEx's lists, in part, and ours: general clinical English. Phrases are separated by semicolons.
"""

from __future__ import annotations


def _split(phrases: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in phrases.split(";")]


# where the reach of any of these words ends
ENDS = _split("""
    although; apart from; aside from; but; except; however; nevertheless; though; which; yet; secondary to; due to;
    because; because of; as a result of; following; after; since; despite; in spite of; whereas; while; when; until;
    otherwise; instead; cause of; reason for; owing to
""")

# that something is not so: words before it, words after it, and words that only look like them
DENIED_BEFORE = _split("""
    absence of; declined; denied; denies; denying; no sign of; no signs of; not; n't; negative for; no; without;
    cannot; never; no evidence of; free of; free from; rules out; ruled out; excludes; excluded; nor; neither; none
    of; lack of; lacks; absent; fails to reveal; failed to reveal; failed to show; not had; nil; negative; no
    history of; no known; no longer; clear of; lacking; nothing to suggest; nothing to indicate; devoid of;
    unremarkable for; never developed; refused; non; no suggestion of; no features of; no indication of; no
    diagnosis of; no recorded
""")
DENIED_AFTER = _split("""
    unlikely; was not; were not; is not; are not; has not; have not; had not; wasn't; weren't; isn't; aren't;
    hasn't; haven't; hadn't; was ruled out; were ruled out; ruled out; has been ruled out; excluded; was excluded;
    absent; is absent; negative; none; no; nil; not seen; not present; not detected; not found; not identified; not
    demonstrated; not given; not started; not prescribed; not evident; not reported; not observed; not diagnosed;
    not noted; not made; not met; never; denied; did not; does not; not apparent; not visualised; not visualized;
    not required; not indicated; not used; not taken; not offered; not in use; has never; free; not recorded; not
    developed; neg; declined; refused; was declined
""")
NOT_DENIED = _split("""
    no further; not certain if; not certain whether; not necessarily; without difficulty; not only; no increase; no
    significant change; no change; no definite change; no interval change; not cause; no significant interval
    change; gram negative; not rule out; not ruled out; not been ruled out; cannot be ruled out; cannot rule out;
    cannot exclude; cannot be excluded; not excluded; not exclude; not been excluded; can not be excluded; could not
    be excluded; no doubt; without doubt; not clear; not sure; not certain; no new complaints; no longer able; not
    able to; unable to; not yet clear; not unlike; not uncommon; no worse; no better; not confirmed; not been
    confirmed; no less than; not clear whether; not known whether; no missed doses; without interruption; no
    difficulty; no side effects; no side-effects; no adverse; without complication; without complications; no
    problems; without problems; no concerns; not to be excluded; not possible to exclude; no fewer than; without
    event; no one
""")

# that it is not certain: words before it, words after it, and words that only look like them
DOUBTED_BEFORE = _split("""
    possible; possibly; probable; probably; suspected; suspicion of; suspicious for; suspicion for; suspect;
    suspects; query; ?; may have; might have; may be; might be; could be; could have; may represent; might
    represent; could represent; may reflect; might reflect; could reflect; cannot exclude; can not exclude; cannot
    rule out; could not exclude; does not exclude; do not exclude; did not exclude; not excluded; not rule out;
    concern for; concerns about; concerning for; concern about; questionable; equivocal; equivocal for; suggestive
    of; suggests possible; suggesting possible; suggest possible; unclear whether; unclear if; uncertain whether;
    uncertain if; not certain whether; not certain if; not clear whether; not clear if; not sure whether; not sure
    if; unsure whether; unsure if; perhaps; potential; potentially; presumed; presumptive; likely; raises the
    possibility of; possibility of; question of; in question; rule out; to rule out; r/o; evaluate for; evaluated
    for; appears to have; seems to have; thought to have; borderline; doubtful; uncertain; indeterminate for; not
    known whether; not possible to exclude; wonder about; wondered about; wondered whether; wonders whether;
    tentative; differential includes; provisional; provisionally; unconfirmed; raised the question of; could not
    rule out; raises the question of; maybe; working diagnosis of; believes; thinks; whether; in keeping with
    possible; compatible with possible; consistent with possible; not entirely excluded; not completely excluded
""")
DOUBTED_AFTER = _split("""
    is possible; possible; suspected; was suspected; is suspected; cannot be excluded; can not be excluded; could
    not be excluded; cannot be ruled out; could not be ruled out; not excluded; not ruled out; not been ruled out;
    not been excluded; is uncertain; was uncertain; remains uncertain; uncertain; is unclear; unclear; remains
    unclear; questionable; equivocal; in question; to be confirmed; unconfirmed; was questioned; is questioned; is
    likely; probable; doubtful; indeterminate; query; not certain; not confirmed; not been confirmed; is considered;
    was considered; being considered; not clear; ?; borderline; is not excluded; remains possible; remains a
    possibility; is a possibility; a possibility; remains in doubt; in doubt; not entirely excluded; not completely
    excluded; not fully excluded; not definitely; inconclusive; tentative; provisional; awaits confirmation;
    awaiting confirmation; not yet confirmed; not yet clear
""")
NOT_DOUBTED = _split("""
    no possible; not possible; as possible; if possible; where possible; as well as possible; possible to; query
    whether to; questionable benefit; out of a possible; may 1
""")

# that it is planned, feared, or somebody else's: words before it, words after it, and words that only look like them
ELSEWHERE_BEFORE = _split("""
    family history of; family history positive for; fh of; fh:; fhx; if she develops; if he develops; if they
    develop; should she develop; should he develop; in case of; in the event of; risk of; risks of; at risk for; at
    risk of; risk for; monitor for; monitoring for; monitored for; watch for; look out for; return if; advised
    about; counselled about; counseled about; warned about; educated about; screen for; screening for; symptoms of;
    signs and symptoms of; surveillance for; informed about; to look for; discussed the risk of; discussed the risks
    of; if; should; unless; eligible for; eligibility for; consider; considering; candidate for; discussed starting;
    prophylaxis against; prevention of; to prevent; may start; to discuss; suitability for; in the hope; information
    on; information about; leaflet about; leaflet on; to consider; to exclude; will consider; would consider;
    vigilant for; alert for; ahead of; clinic for; criteria for; threshold for; test for; tested for; indication for
""")
ELSEWHERE_AFTER = _split("""
    in the family; runs in the family; is planned; was discussed; will be considered; to be considered; may be
    considered; should be considered; to be repeated; will be repeated
""")
NOT_ELSEWHERE = _split("""
    if anything; family informed; if any; family meeting; as if; what if; family history of note; no family history
    of note; no family history of
""")

_RELATIVES = (
    "mother father brother sister son daughter aunt uncle grandmother grandfather parent cousin sibling wife husband"
)
ELSEWHERE_BEFORE += [
    f"{relative}{plural} {verb}"
    for relative in _RELATIVES.split()
    for plural in ("", "s")
    for verb in (
        "had",
        "has",
        "have",
        "with",
        "died of",
        "died with",
        "developed",
        "suffered",
        "suffers",
        "was diagnosed",
        "were diagnosed",
        "also had",
        "both had",
        "each had",
    )
]
ELSEWHERE_AFTER += [
    f"in {whose} {relative}{plural}"
    for relative in _RELATIVES.split()
    for plural in ("", "s")
    for whose in ("her", "his", "a", "the", "two", "one", "their", "both")
]

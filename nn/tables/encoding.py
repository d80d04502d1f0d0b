"""`encoding_of`: in which of the older encodings a text is, by the characters that are usual."""

from __future__ import annotations

import re

SHARE_OF_USUAL = 0.9
"""Which share of the bytes beyond ASCII must be of usual characters for an encoding to be one."""

BYTES_OF_AN_ALPHABET = 24
"""Bytes from which on it is no accident that all of them are Hangul, or of another alphabet."""

BYTES_TRIED = 2**18
"""Bytes that are looked at."""


def _alone(character: str) -> str:
    """Return a pattern of a character between others like it, or between no letters.

    So a quotation mark of Windows before a letter, "don\\x92t", is none.
    """
    return rf"(?:{character}){{2,}}|(?<![A-Za-z])(?:{character})(?![A-Za-z])"


ENCODINGS = {
    "cp932": ("Shift-JIS", _alone(r"[\x81-\x83\x88-\x97][\x40-\xfc]")),
    "cp949": ("EUC-KR", r"[\xa1-\xa3\xb0-\xc8][\xa1-\xfe]"),
    "gb18030": ("GB18030", r"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "big5": ("Big5", _alone(r"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]")),
    "koi8_r": ("KOI8-R", _alone(r"[\xa3\xb3\xc0-\xff]")),
    "cp1255": ("Windows-1255", _alone(r"[\xe0-\xfa]")),
    "cp1256": ("Windows-1256", _alone(r"[\xc1-\xdf\xe1\xe3-\xe6\xec\xed]")),
    "cp1251": ("Windows-1251", _alone(r"[\xa8\xb8\xc0-\xff]")),
    "cp1253": ("Windows-1253", _alone(r"[\xa2\xb8-\xff]")),
}
"""By codec, what it is called, and how its usual characters are written.

Of the Chinese and Japanese ones, those of the first level, which are nearly all that is written.
"""

OFTEN = {
    "cp1255": re.compile(rb"[\xe9\xf8-\xfa]"),
    "cp1256": re.compile(rb"[\xc7\xe1]"),
    "koi8_r": re.compile(rb"[\xc1\xcf](?=[\xc0-\xdf])"),
    "cp1251": re.compile(rb"[\xe0\xee]|[\xc0\xce](?=[\xc0-\xdf])"),
    "cp1253": re.compile(rb"[\xe1\xdc\xf2]"),
}
"""Letters that one in twenty is of: י, ר, ש and ת; ا and ل; а and о; α, ά and ς.

Where several are, in other encodings, the encoding is that of the most. Those of KOI8-R are
capitals elsewhere, so that a small one must follow.
"""

ALPHABETS = (
    ("cp1252", "äöüß àâæçéèêëîïôœùûüÿ áéíñóúüªº ãõáâàçéêíóôúü àèéìíîòóùú åäöéæø ëéèïóöü"),
    ("cp1254", "çğıöşüâîûİ"),
    ("cp1250", "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű ăâîşţ čćđšž"),
    ("cp1257", "āčēģīķļņšūž ąčęėįšųūž äõöüšž"),
    ("cp1252", "áðéíóúýþæö åäöšž"),
)
"""By codec, the letters beyond ASCII of one language after another, the most written first."""

LATIN = {"cp1250": "Windows-1250", "cp1254": "Windows-1254", "cp1257": "Windows-1257"}
"""By codec, what encodings of Latin letters beyond those of western Europe are called."""


WESTERN = {"cp1252": "Latin-1", "mac_roman": "Mac Roman", "cp850": "Code page 850"}
"""By codec, what encodings of the letters of western Europe are called, the most usual first."""

SMALL, CAPITAL = "a-zß-öø-ÿœ", "A-ZÀ-ÖØ-ÞŒ"
LETTER = f"[{SMALL}{CAPITAL}]"
WESTERN_WRITTEN = re.compile(
    rf"[ß-öø-ÿœ\xa0]|(?<!{LETTER})[À-ÖØ-ÞŒ]|(?<=[{CAPITAL}])[À-ÖØ-ÞŒ](?![{SMALL}])"
    rf"|(?<!{LETTER})[¡-¿‘’“”„‚–—…•€™†‡‰‹›×÷](?!{LETTER})|°(?=[CF])|(?<={LETTER})’(?={LETTER})"
    rf"|(?<!{LETTER})[€£¥§±µ«»“„‘¿¡](?={LETTER}|\d)"
    rf"|(?<={LETTER}|\d)[»”’©®™ª-º€£¥§½¼¾](?!{LETTER})"
)
"""A small letter; a capital that begins a word, or is among capitals; a sign not within a word."""


def encoding_of(content: bytes) -> tuple[str, str]:
    """Return the codec of a text that is no UTF-8, and what it is called.

    What is of none of the alphabets beyond Latin is in Windows' Latin-1, unless there its letters
    stand where none may and those of Mac OS or DOS where they may.

    >>> encoding_of("naïve café".encode("latin-1"))
    ('cp1252', 'Latin-1')
    >>> encoding_of("город,население,площадь,цена".encode("cp1251"))
    ('cp1251', 'Windows-1251')
    """
    sample = content[:BYTES_TRIED]
    total = len(re.findall(rb"[\x80-\xff]", sample))
    likely: list[tuple[int, str, str]] = []
    for codec, (called, pattern) in ENCODINGS.items():
        left = re.sub(pattern.encode("latin-1"), b" ", sample)
        others = len(re.findall(rb"[\x80-\xff]", left))
        if codec not in ("cp932", "gb18030", "big5") and total < BYTES_OF_AN_ALPHABET:
            continue
        often = len(OFTEN[codec].findall(sample)) if codec in OFTEN else total
        if 20 * often < total or others > (1 - SHARE_OF_USUAL) * total:
            continue
        if total and _is_written(content, codec):
            likely.append((often, codec, called))
    if likely:
        _, codec, called = max(likely, key=lambda found: found[0])
        return codec, called
    if (latin := _language(sample)) in LATIN:
        return latin, LATIN[latin]
    shares = {codec: _western_share(sample, codec) for codec in WESTERN}
    best = max(shares, key=lambda codec: shares[codec])
    codec = best if shares["cp1252"] < SHARE_OF_USUAL <= shares[best] else "cp1252"
    return codec, WESTERN[codec]


def _language(content: bytes) -> str:
    """Return the codec in which what is beyond ASCII is of one language's letters, or cp1252.

    What is a sign in every codec says nothing; a capital follows upon no small letter.
    """
    texts = {codec: content.decode(codec, "replace") for codec, _ in ALPHABETS}
    columns = zip(*texts.values(), strict=True)
    places = [
        i
        for i, column in enumerate(columns)
        if column[0] > "\x7f" and (len({*column}) > 1 or column[0].isalpha())
    ]
    most, found = 0, "cp1252"
    for codec, languages in ALPHABETS:
        text = texts[codec]
        fitting = [text[i] for i in places if text[i].islower() or not text[i - 1 : i].islower()]
        for letters in languages.split():
            count = sum(letter in letters + letters.upper() for letter in fitting)
            if count > most:
                most, found = count, codec
    return found if most >= SHARE_OF_USUAL * len(places) else "cp1252"


def _western_share(content: bytes, codec: str) -> float:
    """Return which share of what is beyond ASCII is written as in words of western Europe."""
    text = content.decode(codec, "replace")
    written = len(WESTERN_WRITTEN.findall(text))
    return written / max(1, sum(character > "\x7f" for character in text))


def _is_written(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True

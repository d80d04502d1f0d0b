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
    "cp1251": ("Windows-1251", _alone(r"[\xa8\xb8\xc0-\xff]")),
    "cp1253": ("Windows-1253", _alone(r"[\xa2\xb8-\xff]")),
}
"""By codec, what it is called, and how its usual characters are written.

Of the Chinese and Japanese ones, those of the first level, which are nearly all that is written.
"""

OFTEN = {
    "koi8_r": re.compile(rb"[\xc1\xcf](?=[\xc0-\xdf])"),
    "cp1251": re.compile(rb"[\xe0\xee]|[\xc0\xce](?=[\xc0-\xdf])"),
    "cp1253": re.compile(rb"[\xe1\xdc\xf2]"),
}
"""Letters that one in twenty is of: а and о; α, ά and ς, which are б, Ь and т in Cyrillic.

Those of KOI8-R are capitals elsewhere, so that a small one must follow.
"""


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
    for codec, (called, pattern) in ENCODINGS.items():
        left = re.sub(pattern.encode("latin-1"), b" ", sample)
        others = len(re.findall(rb"[\x80-\xff]", left))
        if codec not in ("cp932", "gb18030", "big5") and total < BYTES_OF_AN_ALPHABET:
            continue
        if codec in OFTEN and 20 * len(OFTEN[codec].findall(sample)) < total:
            continue
        if total and others <= (1 - SHARE_OF_USUAL) * total and _is_written(content, codec):
            return codec, called
    shares = {codec: _western_share(sample, codec) for codec in WESTERN}
    likely = max(shares, key=lambda codec: shares[codec])
    codec = likely if shares["cp1252"] < SHARE_OF_USUAL <= shares[likely] else "cp1252"
    return codec, WESTERN[codec]


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

"""The pinned file of the task `summarisation`."""

from __future__ import annotations

from benchsuite.data import DataFile

AESLC = DataFile(
    "aeslc-7afc087a.tar.gz",
    "https://github.com/ryanzhumich/AESLC/archive/7afc087a1cc234d07121f0d4a2d87102ddceabc2.tar.gz",
    "f2a1cde210dbf626b54af6bcaf430d48a99a84f55887d5d7cc558f945bed8d38",
    5_920_046,
    "CC BY-NC-SA 4.0; real emails with personal data: samples must not be shown",
)

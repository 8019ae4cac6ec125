"""The pinned files of the task `sentiment`."""

from __future__ import annotations

from benchsuite.data import DataFile

_SST2 = (
    "https://raw.githubusercontent.com/openai/generating-reviews-discovering-sentiment/"
    "0032e4b87903713ad4242599f5dda2eb7b8c40fd/data"
)
_SST2_LICENCE = "MIT (of the copy's repository); the Stanford Sentiment Treebank states none"
_MR = "https://raw.githubusercontent.com/yoonkim/CNN_sentence/23e0e1f7355705bb083043fda05c031b15acb38c"
_REVIEWS = "https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f"

FILES = {
    file.name: file
    for file in (
        DataFile(
            "sst2_binary_sent_train.csv",
            f"{_SST2}/train_binary_sent.csv",
            "6003623bcb35aad3a446a265b8931b7ccab61fcc10f2e9c1fec916ff67c7be35",
            726_331,
            _SST2_LICENCE,
        ),
        DataFile(
            "sst2_binary_sent_dev.csv",
            f"{_SST2}/dev_binary_sent.csv",
            "f34c4987fea208fefc2d62a1b42c83a766cbfc7ce58c2a878ef953cf91f01729",
            92_802,
            _SST2_LICENCE,
        ),
        DataFile(
            "sst2_binary_sent_test.csv",
            f"{_SST2}/test_binary_sent.csv",
            "519cea7ed4d22fe7ec4eccbb3d5ba6d88902a3b15ce129f476aa8364463a9fc7",
            190_431,
            _SST2_LICENCE,
        ),
        DataFile(
            "rt-polarity.pos",
            f"{_MR}/rt-polarity.pos",
            "2da124ec187a9d5a29c9f04e91c540e02baed5af8868f550a26bd6fd4dbf8bf0",
            626_139,
            "none stated; cite Pang and Lee, ACL 2005",
        ),
        DataFile(
            "rt-polarity.neg",
            f"{_MR}/rt-polarity.neg",
            "4ace77d558c3714723843f1d65b60c01e3417b208180f0728808d76ad0eeeaca",
            612_256,
            "none stated; cite Pang and Lee, ACL 2005",
        ),
        DataFile(
            "review_polarity.tar.gz",
            f"{_REVIEWS}/review_polarity.tar.gz",
            "fc0dccc2671af5db3c5d8f81f77a1ebfec953ecdd422334062df61ede36b2179",
            3_127_238,
            "none stated; cite Pang and Lee, ACL 2004",
        ),
    )
}

"""The pinned files of the task `translation`."""

from __future__ import annotations

from benchsuite.data import DataFile

_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"
_MULTI30K_LICENCE = (
    "none stated; the captions are derived from Flickr30K, whose photographs are for non-commercial research"
)
_TATOEBA = (
    "https://raw.githubusercontent.com/jorgeadev/tensorflow-for-ml-and-ai/"
    "626197f0dcadb7ce4972b35ba8918224c5ee76a1/datasets"
)

_HASHES = {
    "train.en.gz": ("d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f", 568_929),
    "val.en.gz": ("14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28", 21_650),
    "test_2016_flickr.en.gz": ("611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9", 21_077),
    "train.de.gz": ("726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6", 637_044),
    "val.de.gz": ("f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a", 24_681),
    "test_2016_flickr.de.gz": ("9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8", 22_890),
    "train.fr.gz": ("622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c", 604_242),
    "val.fr.gz": ("ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9", 23_001),
    "test_2016_flickr.fr.gz": ("6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90", 22_310),
}

TATOEBA = DataFile(
    "tatoeba_spa-eng_2019-07-21.zip",
    f"{_TATOEBA}/spa-eng.zip",
    "577e6a47953ce594e38435e08c1f8892fb93843c75c1f60e05c9e193463c691a",
    2_861_296,
    "CC BY 2.0; attribution: manythings.org/anki and tatoeba.org",
)

FILES = {
    file.name: file
    for file in (
        *(
            DataFile(f"multi30k_{name}", f"{_MULTI30K}/{name}", sha256, size, _MULTI30K_LICENCE)
            for name, (sha256, size) in _HASHES.items()
        ),
        TATOEBA,
    )
}

"""BLEU and chrF by sacreBLEU, on whole texts, and how many texts are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TextMetrics:
    """How texts are scored against references, one or more for each.

    lower_case       case counts for nothing
    effective_order  BLEU leaves out n-grams that are longer than any text. It changes nothing on a corpus of
                     sentences, and so it is left as published for those; German number words are one word each
    """

    lower_case: bool
    effective_order: bool

    def score(self, texts: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
        """bleu (Papineni et al. 2002) and chrf (Popović 2015), both of the corpus and 0 to 100, and
        exact_match, the share of texts that equal one of their references, 0 to 1."""
        streams = _streams(references)
        hits = [
            self._cased(text) in map(self._cased, wanted)
            for text, wanted in zip(texts, references, strict=True)
        ]
        return {
            "bleu": float(self._bleu().corpus_score(texts, streams).score),
            "chrf": float(self._chrf().corpus_score(texts, streams).score),
            "exact_match": sum(hits) / len(hits),
        }

    def signatures(self, references: Sequence[Sequence[str]]) -> dict[str, str]:
        """sacreBLEU's own account of how it counted, which makes scores comparable (Post 2018)."""
        streams = _streams(references)
        metrics = {"bleu": self._bleu(references=streams), "chrf": self._chrf(references=streams)}
        return {name: metric.get_signature().format() for name, metric in metrics.items()}

    def _bleu(self, **given: Any) -> Any:
        from sacrebleu.metrics import BLEU

        # force: a reference that ends in a space and a full stop is as published, no sign of missing care
        return BLEU(lowercase=self.lower_case, effective_order=self.effective_order, force=True, **given)

    def _chrf(self, **given: Any) -> Any:
        from sacrebleu.metrics import CHRF

        return CHRF(lowercase=self.lower_case, **given)

    def _cased(self, text: str) -> str:
        return text.lower() if self.lower_case else text


def _streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """As sacreBLEU wants them: the first reference of every text, then the second ones, None where none is."""
    most = max(map(len, references))
    return [
        [wanted[index] if index < len(wanted) else None for wanted in references] for index in range(most)
    ]

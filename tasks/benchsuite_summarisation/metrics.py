"""ROUGE on whole texts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

KINDS = ("rouge1", "rouge2", "rougeL")


def rouge(texts: Sequence[str], summaries: Sequence[str]) -> dict[str, float]:
    """rouge1, rouge2 and rougeL (Lin 2004): F-measures of what text and summary share in words, in pairs of
    neighbouring words, in their longest common subsequence; means over the texts, 0 to 1. Words are runs of
    a-z and 0-9 in lower case, those of more than three letters without their ending (Porter 1980).

    Also exact_match: the share of texts that are the summary, case aside.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(KINDS), use_stemmer=True)
    scores = [scorer.score(wanted, text) for text, wanted in zip(texts, summaries, strict=True)]
    found = {kind: float(np.mean([score[kind].fmeasure for score in scores])) for kind in KINDS}
    hits = [text.lower() == wanted.lower() for text, wanted in zip(texts, summaries, strict=True)]
    return {**found, "exact_match": float(np.mean(hits))}


def signature() -> str:
    """How rouge() counts, for a record."""
    return f"rouge-score {version('rouge-score')}, Porter's stemmer, F-measure, mean over texts"

"""From a trained model to the sequence that it generates: greedy and beam search, and the decodings of CTC.

The core's own, so that every backend is asked the same questions and its answers are searched alike.
"""

from benchsuite.measure.decoding.ctc import best_path, prefix_beam
from benchsuite.measure.decoding.search import Generated, beam_search, greedy_search

__all__ = ["Generated", "beam_search", "best_path", "greedy_search", "prefix_beam"]

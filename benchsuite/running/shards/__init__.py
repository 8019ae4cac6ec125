"""Shards: parts of a matrix's trials that different machines run, each into a study of its own."""

from benchsuite.running.shards.cut import Cut, cut_trials, take
from benchsuite.running.shards.shard import Shard, parse_shard
from benchsuite.running.shards.weights import trial_weights

__all__ = ["Cut", "Shard", "cut_trials", "parse_shard", "take", "trial_weights"]

"""Cells run on arrays that record: which products they compute, and whether they use what every backend has."""

"""Computations that are written by hand where jax's own differentiation is slower."""

"""Computations that are written by hand where TensorFlow's own differentiation is slower."""

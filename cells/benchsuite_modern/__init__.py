"""Recurrent cells of 2015 to 2025, written once and run by every backend."""

"""Observers that mirror records somewhere else. The journal stays the source of truth."""

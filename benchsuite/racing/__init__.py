"""Races: trials that run one model in several ways, timed side by side."""

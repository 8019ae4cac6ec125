"""What a contestant that cannot run a shape raises."""

UNSUPPORTED = "unsupported: "
"""Beginning of such a racer's problem."""


class Unsupported(Exception):  # noqa: N818 - an answer, not an error
    """The reason, in words."""

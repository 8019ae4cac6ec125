"""What a contestant that cannot run a shape raises."""


class Unsupported(Exception):  # noqa: N818 - an answer, not an error
    """The reason, in words."""

"""The board: the site of a results repository, with rankings by machine and the history of every
configuration."""

from benchsuite.publishing.board.readme import write_readme
from benchsuite.publishing.board.write import write_board

__all__ = ["write_board", "write_readme"]

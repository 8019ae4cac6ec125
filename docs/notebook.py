"""Runs docs/notebook.md and writes docs/notebook.ipynb: its words, its cells and their outputs.

python docs/notebook.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lessons"))

import make

PAGE = Path(__file__).with_suffix(".md")


def main() -> None:
    import nbformat

    text = PAGE.read_text(encoding="utf-8")
    made = make.notebook(text, make.executed(text))
    PAGE.with_suffix(".ipynb").write_text(nbformat.writes(made) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

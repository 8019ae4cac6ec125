"""Draws charts as pictures, in a process of its own: the library that does it ends a process on input that it
does not like, and it works while the report's pages are written.

Reads a JSON line a chart on standard input, {"spec": ..., "config": ..., "scale": ..., "svg": ..., "png": ...}
with the paths of both pictures, and answers with a line {"problem": ""}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def paint(request: dict[str, Any]) -> str:
    """Draw one chart; returns what went wrong, or "". No data is fetched, whatever the specification says."""
    import vl_convert

    try:
        svg: str = vl_convert.vegalite_to_svg(request["spec"], config=request["config"], allowed_base_urls=[])
        png: bytes = vl_convert.svg_to_png(svg, scale=request["scale"])
        Path(request["svg"]).write_text(svg, encoding="utf-8")
        Path(request["png"]).write_bytes(png)
    except (ValueError, OSError) as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return ""


def main() -> None:
    for line in sys.stdin:
        problem = paint(json.loads(line))
        sys.stdout.write(json.dumps({"problem": problem}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

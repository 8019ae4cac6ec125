"""The chart library of a site: Vega, Vega-Lite and Vega-Embed as one script."""

from __future__ import annotations

import contextlib
import os
from importlib.metadata import version
from pathlib import Path


def vega_bundle() -> bytes:
    """The script. Bundling takes seconds, so that it is kept in the user's cache folder where that can be
    written."""
    import platformdirs

    name = f"vega-{version('vl-convert-python')}.js"
    path = Path(platformdirs.user_cache_dir("benchsuite")) / "report" / name
    with contextlib.suppress(OSError):
        kept = path.read_bytes()
        if kept.endswith(_END):
            return kept
    import vl_convert

    script: bytes = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode() + _END
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{name}.{os.getpid()}")
        partial.write_bytes(script)
        partial.replace(path)
    return script


_END = b"\n/* whole */\n"

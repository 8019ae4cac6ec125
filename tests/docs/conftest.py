"""The extensions of the site's builder are imported from docs/, as docs/conf.py imports them."""

from __future__ import annotations

import sys

from fixtures.sources import ROOT

sys.path.insert(0, str(ROOT / "docs"))

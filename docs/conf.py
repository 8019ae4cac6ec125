"""How Sphinx builds the site: `tox run -e docs`, then open docs/_build/html/index.html."""

from __future__ import annotations

import sys
from importlib.metadata import version as distribution_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "benchsuite"
author = "The benchsuite authors"
copyright = "the benchsuite authors, MIT licence"  # noqa: A001, the name is Sphinx's
release = version = distribution_version("benchsuite").partition("+")[0].partition(".dev")[0]
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "_extensions.accessibility",
    "_extensions.docstrings",
    "_extensions.generated_parts",
    "_extensions.mathml",
    "_extensions.page_language",
    "_extensions.page_titles",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path: list[str] = []

# Markdown as GitHub reads it: the same addresses of headings, and formulas between dollars
myst_enable_extensions = ["deflist", "dollarmath", "colon_fence"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]
highlight_language = "text"
# every link between pages is checked; annotations of other packages have no page here
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]

default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "benchsuite"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
copybutton_exclude = ".linenos, .gp, .go"

# addresses outside the site, asked for by `tox run -e weblinks`
linkcheck_timeout = 20
linkcheck_workers = 4

"""Settings of Sphinx, which makes the pages (msalib/book/render.py)."""

project = html_title = "MSA re-run"
author = "The MSA re-run contributors"
copyright = "2026"
language = "en"

extensions = [
    "myst_nb",
    "sphinx_external_toc",
    "sphinx_design",
    "sphinx_book_theme",
    "sphinxcontrib.bibtex",
    "sphinx.ext.mathjax",
    "msalib.book.site",
]
nitpicky = True

# Pages are those in _toc.yml. Hidden folders are named because that does not keep Sphinx out.
external_toc_path = "book/_toc.yml"
external_toc_exclude_missing = True
exclude_patterns = [".*", ".*/**", "**/.*", "_build", "README.md"]
exclude_patterns += [f"{name}/**" for name in ("msalib", "tests", "runs", "features", "corpora")]

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_url_schemes = ["mailto", "http", "https"]
suppress_warnings = ["myst.domains"]
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

nb_execution_mode = "off"  # they are run before: msalib/book/notebooks.py
nb_output_stderr = "remove"
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
nb_ipywidgets_js = {}  # from another host

html_theme = "sphinx_book_theme"
html_logo = "_static/logo.svg"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["frame.css", "custom.css", "figures.css", "verdicts.css"]
html_js_files = [(f"{name}.js", {"defer": "defer"}) for name in ("book", "tables", "figures")]
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # it loads every page that is found, whole

# Parts of the theme's own frame, which is not shown: msalib/book/templates/layout.html.
html_sidebars = {"**": []}
html_theme_options = {
    part: []
    for part in (
        *("article_header_start", "article_header_end", "article_footer_items"),
        *("secondary_sidebar_items", "primary_sidebar_end"),
        *("content_footer_items", "footer_content_items"),
    )
}
html_theme_options["use_download_button"] = False

mathjax_path = "mathjax/tex-chtml.js"  # from a wheel in place of another host
mathjax_options = {"defer": "defer"}

"""How Sphinx makes the book: ``make book`` gathers its pages and calls Sphinx with this file.

Nothing is fetched while it is made or read: equations are MathML, and no script, font or picture comes from elsewhere.
"""

project = "MNGNAS, step by step"
author = "The MNGNAS kit contributors"
language = "en"
smartquotes = False
extensions = ["myst_nb", "mngnas_lib.notebooks.book.mathml"]

myst_enable_extensions = ["amsmath", "dollarmath"]
# as GitHub and JupyterLab read it: no labels after an equation, and displayed ones within a paragraph
myst_dmath_allow_labels = False
myst_dmath_double_inline = True
myst_heading_anchors = 4
myst_update_mathjax = False

# the committed outputs are shown
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_merge_streams = True
nb_ipywidgets_js = {}

html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["book.css"]
# the figures and tables of the register, at the addresses that its page names
html_extra_path = ["_extra"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False

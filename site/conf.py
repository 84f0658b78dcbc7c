"""The settings of Sphinx, for `make site`."""

from importlib import resources

from docutils import nodes
from pygments.token import STANDARD_TYPES, Name, Punctuation, Whitespace
from sphinx.search.en import SearchEnglish

LONG = 50  # characters in a cell of a table
MATHJAX = resources.files("mathjax") / "static/mathjax"

# In furo they have the colour of plain text: without marks of their own, a page of code is half as long.
STANDARD_TYPES.update(dict.fromkeys((Name, Punctuation, Whitespace), ""))

project = "From RNN to self-attention, measured"
language = "en"
extensions = ["myst_nb", "sphinx.ext.mathjax"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["attrs_inline", "dollarmath"]
myst_heading_anchors = 3

# Glyphs are drawn, so one file is enough: Firefox loads no font for a page that is opened as a file.
mathjax_path = "tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}  # its explorer would load more

html_theme = "furo"
html_title = project
html_favicon = "static/icon.svg"
html_static_path = ["static", str(MATHJAX / "es5/tex-svg-full.js"), str(MATHJAX / "LICENSE")]
html_css_files = ["course.css"]
html_js_files = [("search_summary.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0056b3", "color-brand-content": "#0056b3"},
    "dark_css_variables": {"color-brand-primary": "#7ab8ff", "color-brand-content": "#7ab8ff"},
}


class SearchAlsoKorean(SearchEnglish):
    """Korean words carry particles (상태는, 상태를), so the beginnings of each are indexed as well."""

    def split(self, text):
        """Return the words of a text, and of those in Hangul their beginnings."""
        words = super().split(text)
        korean = [word for word in words if "가" <= word[0] <= "힣"]
        return words + [word[:end] for word in korean for end in range(2, len(word))]


def label_sentences(_app, doctree, _place):
    """Give each cell of a table of sentences the label of its column: a phone shows them below each other."""
    for table in doctree.findall(nodes.table):
        rows = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
        if max(len(entry.astext()) for row in rows for entry in row) < LONG:
            continue
        table["classes"].append("sentences")
        labels = [entry.astext() for entry in rows[0]]
        for row in rows[1:]:
            for label, entry in zip(labels[1:], row[1:], strict=True):
                if label and entry.children:
                    entry.children[0].insert(0, nodes.inline("", f"{label}: ", classes=["label"]))


def setup(app):
    """Take the search of English and Korean in the place of the English one, and label tables."""
    app.add_search_language(SearchAlsoKorean)
    app.connect("doctree-resolved", label_sentences)

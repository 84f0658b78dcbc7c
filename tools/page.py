"""Turn an executed lesson into one HTML page that needs no network: its equations are MathML."""

import copy
import re

from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# Nbconvert's own template loads scripts for widgets, equations and diagrams from a network,
# and has no alternative text for pictures.
TEMPLATE = """\
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block data_png scoped -%}
<div class="jp-RenderedImage jp-OutputArea-output">
<img alt="{{ output.metadata.alt | escape_html }}" src="data:image/png;base64,{{ output.data['image/png'] }}">
</div>
{%- endblock -%}
"""
# The converter knows `align*`, which looks the same, but not `aligned`.
ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")
HEADING = re.compile(r"^#+ +(.+)", re.MULTILINE)
NOT_CONVERTED = re.compile(r"<mi>(\\\w*|&)</mi>")


def render(notebook, title):
    """Return `notebook` as the text of an HTML page; a picture's alternative text is the heading above it.

    Raises:
        ValueError: an equation holds LaTeX that cannot be shown as MathML.
    """
    notebook, heading = copy.deepcopy(notebook), ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (HEADING.findall(cell.source) or [heading])[-1]
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.metadata.setdefault("alt", f"Figure in “{heading}”")
    exporter = PageExporter(raw_template=TEMPLATE)
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]


class PageExporter(HTMLExporter):
    """The exporter of a page, which converts the equations in its text."""

    def markdown2html(self, context, source):
        """Convert Markdown with equations to HTML."""
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = MathMLRenderer(escape=False, attachments=attachments, exclude_anchor_links=True)
        return MarkdownWithMath(renderer=renderer).render(source)

    markdown2html.jinja_pass_arg = HTMLExporter.markdown2html.jinja_pass_arg


class MathMLRenderer(IPythonRenderer):
    """A renderer of Markdown that writes equations as MathML."""

    def block_math(self, body):
        """Convert `$$...$$`."""
        return mathml(body, "block")

    def inline_math(self, body):
        """Convert `$...$`."""
        return mathml(body, "inline")

    def latex_environment(self, name, body):
        """Convert an environment that stands without dollar signs."""
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")


def mathml(latex, display):
    """Convert an equation, `display` being `"block"` or `"inline"`.

    Raises:
        ValueError: the equation holds what cannot be shown as MathML.
    """
    markup = convert(ALIGNED.sub(r"\\\1{align*}", latex.strip()), display=display)
    unknown = NOT_CONVERTED.search(markup)
    if unknown:
        raise ValueError(
            f"An equation must be LaTeX that MathML can show; {unknown[1]} is not. Received: {latex.strip()}"
        )
    return markup

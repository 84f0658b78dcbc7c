"""tools/page.py: pages need no network, and their equations are MathML."""

import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from small_lessons import code, markdown, shown

from tools import page


def rendered(*cells):
    return BeautifulSoup(page.render(v4.new_notebook(cells=list(cells)), "02_a"), "html.parser")


def test_equations_are_mathml():
    soup = rendered(markdown("Here $h_t$.\n\n$$\nh_t = \\tanh(W x_t)\n$$"))
    assert [math["display"] for math in soup.find_all("math")] == ["inline", "block"]
    assert "$" not in soup.main.get_text()


@pytest.mark.parametrize("environment", ["aligned", "align*", "cases"])
def test_equations_of_several_lines_are_tables(environment):
    latex = rf"\begin{{{environment}}} a &= b \\ c &= d \end{{{environment}}}"
    soup = rendered(markdown(f"$$\n{latex}\n$$"))
    assert len(soup.math.find_all("mtr")) == 2
    assert "&" not in soup.math.get_text()


def test_dollar_signs_in_code_are_no_equations():
    soup = rendered(markdown("`$a$` and\n\n```python\nprice = '$b$'\n```"), code("s = '$c$'"))
    assert not soup.find_all("math")
    assert all(f"${letter}$" in soup.main.get_text() for letter in "abc")


def test_an_equation_that_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match=r"\\nosuch is not. Received: \\nosuch\{x\}"):
        rendered(markdown(r"$\nosuch{x}$"))


def test_nothing_is_loaded_from_a_network():
    soup = rendered(markdown("# 02 · A\n\n$x$"), code("1", outputs=[shown(image_png="aaaa")]))
    assert not soup.find_all("script")
    assert not soup.select("link[href], iframe[src]")
    styles = "".join(style.text for style in soup.find_all("style"))
    assert [each for each in ("@import", "url(http") if each in styles] == []


def test_a_picture_has_the_heading_above_it_as_its_alternative_text():
    figure = code("1", outputs=[shown(image_png="aaaa", text_plain="<Figure>")])
    image = rendered(markdown("## Look inside\n\nText."), figure).img
    assert image["alt"] == "Figure in “Look inside”"
    assert image["src"] == "data:image/png;base64,aaaa"

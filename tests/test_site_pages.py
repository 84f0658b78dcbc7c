"""tools/site_pages.py: links, badges, the contents, and the pages of names and claims."""

import pytest
from nbformat import v4
from small_lessons import code, markdown, printed, shown

from tools import address, site_pages

STATED = address.stated()
URL, REVISION = STATED.url, STATED.revision


@pytest.mark.parametrize(
    ("place", "link", "made"),
    [
        ("README.md", "notebooks/02_rnn.ipynb", "notebooks/02_rnn.ipynb"),
        ("README.md", "docs/padding.png", "docs/padding.png"),
        ("README.md", "course_utils/bptt.py", f"{URL}/blob/{REVISION}/course_utils/bptt.py"),
        ("CONTRIBUTING.md", "../../issues/new/choose", f"{URL}/issues/new/choose"),
        ("docs/keras.md", "../README.md#lessons", "/index.md#lessons"),
        ("notebooks/evidence/02_rnn.ipynb", "../02_rnn.ipynb", "../02_rnn.ipynb"),
        ("notebooks/02_rnn.ipynb", "../tools/form.py", f"{URL}/blob/{REVISION}/tools/form.py"),
        ("README.md", "#lessons", "#lessons"),
        ("README.md", "https://semver.org", "https://semver.org"),
    ],
)
def test_a_link_leads_to_a_page_or_to_the_repository(place, link, made):
    pages = {"index.md", "notebooks/02_rnn.ipynb", "docs/keras.md"}
    assert site_pages.for_the_web(f"See [it]({link}).", place, pages, STATED) == f"See [it]({made})."


@pytest.mark.parametrize("code", ["`norms[1](x)`", "`a` and `b[1](x)`", "```python\nb[1](x)\n```"])
def test_what_looks_like_a_link_in_code_stays(code):
    assert site_pages.for_the_web(f"Write {code}.", "README.md", set(), STATED) == f"Write {code}."


def test_a_badge_is_a_link_and_that_of_the_tests_is_gone():
    colab = "https://colab.research.google.com/github/a/b/blob/main/notebooks/02_rnn.ipynb"
    badge = f"[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})"
    text = f"# A\n\n[![tests](https://github.com/badge.svg)](https://github.com/a)\n\n{badge}\n"
    assert (
        site_pages.for_the_web(text, "README.md", set(), STATED)
        == f"# A\n\n[Open in Colab]({colab}){{.colab}}\n"
    )


NAMES = """\
# The public names

- [`LSTM`](#class-lstm): as [Keras](keras.md).

## `course_utils.recurrent`

### class `LSTM`

See [`start`](#start).

## `course_utils.lesson`

### `start`

Begin.
"""


def test_each_module_has_a_page_of_its_names():
    pages = site_pages.by_module(NAMES)
    assert list(pages) == ["docs/reference.md", "docs/reference/recurrent.md", "docs/reference/lesson.md"]
    assert (
        "- [`LSTM`](reference/recurrent.md#class-lstm): as [Keras](keras.md)." in pages["docs/reference.md"]
    )
    assert pages["docs/reference/recurrent.md"] == (
        "# recurrent\n\n\n## class `LSTM`\n\nSee [`start`](lesson.md#start).\n\n"
    )
    assert pages["docs/reference/lesson.md"].endswith("## `start`\n\nBegin.\n")


def test_the_contents_have_lessons_then_evidence():
    places = ("notebooks/01_a.ipynb", "notebooks/02_b.ipynb", "notebooks/evidence/01_a.ipynb")
    made = site_pages.contents(
        {place: v4.new_notebook(cells=[markdown("# 01 · Long name: what?")]) for place in places}
    )
    listed = [line for line in made.splitlines() if line.startswith(("01", "02", ":caption"))]
    assert listed == [
        ":caption: Lessons",
        "01 Long name </notebooks/01_a.ipynb>",
        "02 Long name </notebooks/02_b.ipynb>",
        ":caption: Evidence",
        "01 Long name </notebooks/evidence/01_a.ipynb>",
        ":caption: To try",
        ":caption: To look up",
    ]


def test_a_statement_leads_to_the_cell_that_settles_it_where_that_is_marked():
    row = "| {} | said [a](b.md) | holds | <sub>> 0</sub> | [04 evidence](notebooks/evidence/04_lstm.ipynb) |"
    text = f"{row.format(32)}\n{row.format(1)}"
    linked = text.replace("notebooks/evidence/04_lstm.ipynb", "#statement-32", 1)
    assert site_pages.to_measurements(text, "(statement-32)=") == linked


def test_the_map_of_dates_is_what_a_notebook_has_stored():
    page = '<div class="date-map">\n```\n</div>'
    cells = [
        markdown("# 08"),
        code("1", outputs=[printed("1")]),
        code("2", outputs=[shown(text_html="<p>")]),
        code("3", outputs=[shown(text_html=page, text_plain="Page()")]),
    ]
    first, second = v4.new_notebook(cells=cells[:3]), v4.new_notebook(cells=cells)
    assert site_pages.map_of_dates([first, second]) == page
    with pytest.raises(ValueError, match=r"`make save N=08`. Received: 2 outputs, none"):
        site_pages.map_of_dates([first])


@pytest.fixture(scope="module")
def sources():
    return site_pages.sources()


def test_a_page_watches_attention_with_links_that_lead_on(sources):
    page = sources[site_pages.WATCH]
    assert page.count('<div class="date-map"') == 1
    assert site_pages.PLACE_OF_FIGURE not in page
    assert "](notebooks/08_attention.ipynb)" in page


def test_a_page_turns_the_gain_and_is_listed_beside_the_map(sources):
    page = sources[site_pages.TURN]
    assert page.count('<div class="fading"') == 1
    assert site_pages.PLACE_OF_FIGURE not in page
    assert "](notebooks/03_gradients_through_time.ipynb)" in page
    assert "](notebooks/04_lstm.ipynb)" in page
    title = page.splitlines()[0].removeprefix("# ")
    tried = sources[site_pages.HOME].partition(":caption: To try")[2].split()
    assert title == site_pages.TO_TRY[site_pages.TURN]
    assert [each for each in tried if each.startswith("</")][:2] == ["</watch.md>", "</turn.md>"]

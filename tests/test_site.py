"""tools/site.py: the pages that Sphinx makes; tools/site_check.py looks at them in a browser."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_versions import PIN, lines, needed, pins

from course_utils import exercises
from course_utils.exercises import statements
from tools import lessons, reference, site

LARGEST = 12_000_000
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
# In Markdown: first code, in which a dollar is a dollar, then equations.
EQUATION = re.compile(r"```.*?```|`[^`\n]+`|(\$\$.+?\$\$|\$[^$\n]+\$)", re.DOTALL)

NO_PROSE = r'<(pre|code|script|style)\b.*?</\1>|<(\w+) class="math[^"]*">.*?</\2>|<[^>]*>'


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Build the pages, with warnings as errors, and return each by its place, read."""
    if not site.is_installed():
        pytest.skip("the extra `site` is not installed: make site does it")
    folder = tmp_path_factory.mktemp("pages") / "site"
    assert site.build(folder) == 0
    return Pages(folder)


class Pages(dict):
    """The pages of a site, by their places; `folder` is where they are."""

    def __init__(self, folder):
        self.folder = folder
        found = sorted(folder.rglob("*.html"))
        read = [BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in found]
        super().__init__(zip((path.relative_to(folder).as_posix() for path in found), read, strict=True))

    def of(self, path):
        """Return the page of a notebook."""
        return self[lessons.place_of(path).replace(".ipynb", ".html")]


def prose(html):
    """The text of a page without its code and equations, in which markup still stands."""
    article = re.search(r"<article.*</article>", html, re.DOTALL)
    return re.sub(NO_PROSE, "", article[0] if article else "", flags=re.DOTALL)


def test_every_notebook_has_a_page_with_a_way_to_colab(pages):
    for path in lessons.find():
        page = pages.of(path)
        assert page.h1.text.startswith(lessons.read(path).cells[0].source.splitlines()[0][2:])
        assert page.select_one("article a.colab")["href"].endswith(f"/{lessons.place_of(path)}")


def test_one_goes_from_lesson_to_lesson(pages):
    found = [lessons.place_of(path).replace(".ipynb", ".html") for path in lessons.find()]
    for place, following in zip(["index.html", *found], found, strict=False):
        link = pages[place].select_one("a.next-page")["href"]
        assert (Path(place).parent / link).as_posix().replace("evidence/../", "") == following
    listed = [link["href"] for link in pages["index.html"].select(".sidebar-tree a")]
    assert [link for link in listed if link.startswith("notebooks/")] == found


def test_every_public_name_is_there(pages):
    for module in reference.MODULES:
        headings = [
            heading.code.text for heading in pages[f"docs/reference/{module}.html"].article.select("h2")
        ]
        assert headings == [each.__name__ for each in reference.public(module)]


def test_nothing_is_loaded_from_another_host(pages):
    for place, page in pages.items():
        loaded = [tag[LOADED[tag.name]] for tag in page.find_all(list(LOADED)) if tag.get(LOADED[tag.name])]
        assert loaded
        assert [each for each in loaded if re.match(r"(?:\w+:)?//", each)] == [], place
        assert not page.select("[srcset], base")
        assert "@import" not in "".join(style.text for style in page.find_all("style"))
    for path in pages.folder.rglob("*.css"):
        assert not re.search(r"@import|url\([\"']?(?:\w+:)?//", path.read_text(encoding="utf-8"))


def test_what_a_page_loads_is_there(pages):
    for place, page in pages.items():
        for tag in page.find_all(["script", "img", "link"]):
            link = (tag.get("src") or tag.get("href") or "").partition("?")[0].partition("#")[0]
            if link and not link.startswith("data:"):
                assert (pages.folder / place).parent.joinpath(link).exists(), (place, link)


def test_every_equation_is_handed_to_mathjax(pages):
    for path in lessons.find():
        texts = [cell.source for cell in lessons.read(path).cells if cell.cell_type == "markdown"]
        written = [each for text in texts for each in EQUATION.findall(text) if each]
        equations = pages.of(path).select("article .math")
        assert len(equations) == len(written)
        assert all(re.fullmatch(r"\\\(.+\\\)|\s*\\\[.+\\\]\s*", each.text, re.DOTALL) for each in equations)
        assert not written or pages.of(path).select("script[src*=tex-svg]")


def test_neither_equations_nor_markup_are_left_as_text(pages):
    for place in pages:
        text = prose((pages.folder / place).read_text(encoding="utf-8"))
        assert not re.findall(r"\$[^$]+\$|\\[a-z]+\{|\*\*[A-Za-z]|\]\(\S+\.(?:md|ipynb)|\{\.\w", text), place


def test_every_picture_is_described_and_is_that_of_the_notebook(pages):
    for page in pages.values():
        for image in page.select("article img"):
            assert len(image["alt"].split()) > 2
            assert not image["alt"].endswith(".png")
    for path in lessons.find():
        count = sum(len(lessons.pictures(cell)) for cell in lessons.code_cells(lessons.read(path)))
        assert len(pages.of(path).select("article .cell_output img")) == count


def test_every_vote_is_there_to_click(pages):
    for path in lessons.find():
        votes = [
            call
            for cell in lessons.code_cells(lessons.read(path))
            for call in lessons.calls(cell.source, "vote")
        ]
        asked = [number.value for call in votes for number in call.args[1].keys]
        boxes = pages.of(path).select(".vote fieldset")
        assert [int(box.legend.text.partition(".")[0]) for box in boxes] == asked
        for number, box in zip(asked, boxes, strict=True):
            settled = statements.read()[number]
            assert f"it {settled['verdict']}." in box.select_one(".verdict > div").text
            page, _, target = box.a["href"].partition("#")
            assert pages[f"notebooks/{page}"].find(id=target), number


def test_a_verdict_is_hidden_until_one_votes(pages):
    style = (pages.folder / "_static/course.css").read_text(encoding="utf-8")
    hidden = re.search(r"([^{}]+)\{ display: none; \}\n\.vote \.verdict", style)[1]
    assert ".vote fieldset:not(:has(:checked)) .verdict > div" in hidden
    assert not [page for page in pages.values() if page.select(".vote [checked]")]


def test_no_solution_is_seen_without_two_clicks(pages):
    assert not [place for place, page in pages.items() if page.select("article details[open]")]
    asked = [
        lessons.exercise(cell.source)[0]
        for path in lessons.find()
        for cell in lessons.exercises(lessons.read(path))
    ]
    told = {each.summary.code.text: each for page in pages.values() for each in page.select("details.help")}
    assert list(told) == list(dict.fromkeys(asked))
    for name, help_ in told.items():
        assert exercises.solution_source(name).strip() in help_.select_one("details.solution").text
        assert len(help_.select("details:not(.solution)")) == len(exercises.EXERCISES[name].hints)
    for page in pages.values():
        for part in page.select("details.solution"):
            part.decompose()
    left = "\n".join(page.text for page in pages.values())
    assert [name for name in told if exercises.solution_source(name).strip() in left] == []


def test_the_set_up_is_folded(pages):
    for path in lessons.find():
        (cell,) = (cell for cell in lessons.code_cells(lessons.read(path)) if "setup" in lessons.tags(cell))
        assert cell.source.splitlines()[0] in pages.of(path).select_one("details.hide").text


def test_the_search_knows_korean_words_by_their_beginning(pages):
    text = (pages.folder / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(re.fullmatch(r"Search\.setIndex\((.+)\)\s*", text)[1])
    for word in ("어텐션", "어텐", "게이트", "forget"):
        found = index["terms"][word]
        names = {index["docnames"][each] for each in (found if isinstance(found, list) else [found])}
        assert names & {"notebooks/04_lstm", "notebooks/08_attention"}, word


def test_every_link_within_the_site_has_its_target(pages):
    for place, page in pages.items():
        for link in page.select("article a[href]"):
            target, _, anchor = link["href"].partition("#")
            if re.match(r"\w+:", target):
                continue
            there = (
                (pages.folder / place).parent.joinpath(target).resolve() if target else pages.folder / place
            )
            assert there.exists(), (place, link["href"])
            if anchor and there.suffix == ".html":
                assert pages[there.relative_to(pages.folder.resolve()).as_posix()].find(id=anchor), (
                    place,
                    link["href"],
                )


def test_the_site_is_small(pages):
    assert sum(path.stat().st_size for path in pages.folder.rglob("*") if path.is_file()) < LARGEST


def test_what_is_lacking_is_said(monkeypatch):
    monkeypatch.setattr(site, "NEEDED", ("no_such_package",))
    assert "'.[site]'" in site.main([])


def test_the_constraints_pin_what_the_extra_adds_and_change_nothing_else():
    assert [line for line in lines("constraints-site.txt") if not PIN.fullmatch(line)] == []
    own = pins("constraints-site.txt")
    assert own.keys() & pins("constraints.txt").keys() == set()
    if not site.is_installed():
        pytest.skip("the extra `site` is not installed")
    project = tomllib.loads((lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(text) for text in project["optional-dependencies"]["site"]]
    names = {name for each in asked for name in needed(canonicalize_name(each.name))}
    assert own.items() >= {(name, metadata.version(name)) for name in names - pins("constraints.txt").keys()}
    assert [each for each in asked if metadata.version(each.name) not in each.specifier] == []


def test_the_workflow_looks_at_the_pages_before_it_publishes_them():
    workflow = yaml.safe_load((lessons.ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    steps = [step.get("run") or step["uses"].partition("@")[0] for step in build["steps"]]
    stamped = 'python -m tools.address --adopt "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" "$GITHUB_REF_NAME"'
    assert steps[2:] == [
        stamped,
        "make site ARGS=--check",
        'make quick ARGS="-ktest_site --every=1"',
        "actions/upload-pages-artifact",
    ]
    assert "default_branch" in build["steps"][2]["if"]
    assert build["steps"][-1]["with"] == {"path": "build/site"}
    assert publish["needs"] == "build"
    assert "has_pages" in publish["if"]
    assert "default_branch" in publish["if"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in build

"""tools/reference.py: the page of public names says what the docstrings say, and leaves no name out."""

import inspect
import re

import course_utils
from course_utils import data
from tools import reference


class Base:
    def start(self, state=None):
        """Begin.

        Not said in a list.
        """

    def build(self):
        """Make weights, which no reader does."""


class Made(Base):
    """Look back with `Made`.

        c = sum of w_i * h_i

    (A paper, section 3.)

    Args:
        units, score: of the layer;
            the score may be None.
        **kwargs: `name`: what it is called.

    Call:
        value: a sequence.
        Returns one vector for each:
        `(batch, dim)`.

    To train it:

        layer.fit()
    """

    def __init__(self, units, score="dot"):
        pass

    @property
    def size(self):
        """How large."""


Base.__module__ = Made.__module__ = "course_utils.made"


ENTRY = """\
### class `Made`

    Made(units, score="dot")

Look back with `Made`.

    c = sum of w_i * h_i

(A paper, section 3.)

**Args**

- `units, score`: of the layer;
  the score may be None.
- `**kwargs`: `name`: what it is called.

**Call**

- `value`: a sequence.

Returns one vector for each:
`(batch, dim)`.

To train it:

    layer.fit()

**Methods**

- `start(state=None)`: Begin.
- `size`: How large.
"""


def test_an_entry_has_the_signature_the_docstring_as_markdown_and_the_methods():
    assert reference.entry(Made) == ENTRY


def test_every_public_name_has_an_entry_and_every_link_leads_to_one():
    page = reference.render()
    headings = re.findall(r"^### ((?:class )?`(\w+)`)$", page, re.MULTILINE)
    public = {name for name in course_utils.__all__ if not inspect.ismodule(getattr(course_utils, name))}
    public |= {name for name in data.__all__ if callable(getattr(data, name))}
    missing = public - {name for _, name in headings}
    assert missing == set(), "name their modules in tools/reference.py"
    assert set(course_utils.ON_DEMAND.values()) <= set(reference.MODULES)
    anchors = [text.lower().replace("`", "").replace(" ", "-") for text, _ in headings]  # as GitHub does
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#(.+?)\)", page)) == set(anchors)


def test_the_stored_page_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.render(), "run `make reference`"

"""tools/glossary.py: every term that a lesson gives in Korean is on the page, once."""

from collections import Counter
from pathlib import Path

from small_lessons import code, markdown, store

from tools import glossary, lessons

FOUND = [term for path in lessons.find() for term in glossary.terms(path)]
TEXT = """\
The *hidden state* $h$ (은닉 상태) is what an RNN (순환 신경망) carries.
That is a *deep* RNN (심층 순환 신경망). A *seq2seq* model (see below)
and `il` (일) are no terms, and *Attention* (어텐션) is one.
*One-hot* (원-핫 인코딩), *context vector* (컨텍스트 벡터, also 문맥 벡터), and spend (돈을, money) is none.
**The cache** (캐시) is one, and what is trained without it (*ablation*, 절제); *top-k* (상위 k 샘플링), too.
"""


def test_terms_are_found_as_the_lessons_write_them(tmp_path):
    path = store(tmp_path, "02_rnn.ipynb", markdown(TEXT), code("x = 'the *cell* (메모리 셀)'"))
    found = [(term.english, term.korean) for term in glossary.terms(path)]
    assert found == [
        ("hidden state", "은닉 상태"),
        ("RNN", "순환 신경망"),
        ("deep RNN", "심층 순환 신경망"),
        ("Attention", "어텐션"),
        ("One-hot", "원-핫 인코딩"),
        ("context vector", "컨텍스트 벡터"),
        ("cache", "캐시"),
        ("ablation", "절제"),
        ("top-k", "상위 k 샘플링"),
    ]


def test_the_page_is_in_the_order_of_the_alphabet():
    path = Path("02_rnn.ipynb")
    page = glossary.render(glossary.Term(name, "한", path) for name in ("mask", "GRU", "Bias"))
    assert page.index("| Bias |") < page.index("| GRU |") < page.index("| Mask | 한 | [02](notebooks/02_rnn")


def test_the_stored_page_is_up_to_date():
    assert glossary.PAGE.read_text(encoding="utf-8") == glossary.render(FOUND), "run `make glossary`"


def test_no_term_is_introduced_twice():
    for names in ([term.english.lower() for term in FOUND], [term.korean for term in FOUND]):
        assert [name for name, times in Counter(names).items() if times > 1] == []
    assert len(FOUND) > 50

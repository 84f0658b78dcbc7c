"""Write GLOSSARY.md, the terms in English and Korean, from the stored lessons."""

import re
from collections import namedtuple

from tools import lessons

PAGE = lessons.ROOT / "GLOSSARY.md"
# "*hidden state* $h$ (은닉 상태)", "a *deep* RNN (심층 순환 신경망)", "the LSTM (장단기 메모리)",
# "**The cache** (캐시)", "*context vector* (컨텍스트 벡터, also 문맥 벡터)" or "(*ablation*, 절제)"
TERM = re.compile(
    r"(?:(\*\*?)(?P<marked>[^*\n]+)\1(?P<rest> RNN)?|\b(?P<plain>[A-Za-z0-9-]+))(?: \$[^$]+\$)? "
    r"\((?P<korean>[가-힣][가-힣a-z -]*)(?:, (?:also|[A-Z])[^)]*)?\)"
    r"|\(\*(?P<aside>[^*\n]+)\*, (?P<its_korean>[가-힣][가-힣 -]*)\)"
)
HEAD = """\
# Glossary

The main terms, each with the lesson that introduces it. This page is written from the stored lessons by
`make glossary`, and a test holds it up to date.

| English | Korean | lesson |
| --- | --- | --- |
"""


Term = namedtuple("Term", "english korean path")  # `path` is that of the lesson that introduces it


def terms(path):
    """Return the terms that the lesson at `path` introduces, in their order."""
    cells = [cell.source for cell in lessons.read(path).cells if cell.cell_type == "markdown"]
    return [
        Term(
            ((each["marked"] or each["plain"] or each["aside"]) + (each["rest"] or "")).removeprefix("The "),
            each["korean"] or each["its_korean"],
            path,
        )
        for each in TERM.finditer("\n".join(cells))
    ]


def render(all_terms):
    """Return the page."""
    rows = sorted(all_terms, key=lambda term: term.english.lower())
    return HEAD + "".join(
        f"| {term.english[0].upper()}{term.english[1:]} | {term.korean} | {lessons.link_to(term.path)} |\n"
        for term in rows
    )


if __name__ == "__main__":
    lessons.write(PAGE, render(term for path in lessons.find() for term in terms(path)))
    print(f"Wrote {PAGE.name}.")

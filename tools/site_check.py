"""Look at every page of the site in Chromium: on a phone and on a desk, light and dark.

Where a page has the map of dates, type some: it must write and look as Python does. Where it has the figure
with sliders, move them by keys: it must measure what Python measures.
"""

import contextlib
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
WIDTHS = 390, 1280
SCHEMES = "light", "dark"
SEARCHES = {"forget gate": "04_lstm", "망각": "04_lstm", "어텐": "08_attention"}  # the last begins 어텐션
FOUND = "#search-results a[href*='{}']"
PATIENCE = 10_000  # milliseconds
WITHIN = 1e-4  # of each weight
WITH_MAP, WITH_SLIDERS = '<div class="date-map"', '<div class="fading"'
KEYS = (  # where one presses which key, and what the figure shows then
    ("[data-key=SimpleRNN] input", "End", ("SimpleRNN", 1.6, 0.1, 50)),
    ("[data-key=size] input", "Home", ("SimpleRNN", 1.6, 0, 50)),
    (":checked", "ArrowRight", ("LSTM", 1, 0, 50)),
    ("[data-key=LSTM] input", "ArrowRight", ("LSTM", 1.1, 0, 50)),
    ("[data-key=steps] input", "Home", ("LSTM", 1.1, 0, 5)),
)
IN_THE_PAGE = Path(__file__).with_suffix(".js")


def main(pages, searches=SEARCHES, dates=None, shown=None):
    """Look at the pages in a folder, print what is wrong, and return the exit code.

    Args:
        pages: the folder.
        searches: what to search for, and a part of the address of the page that must be found.
        dates: what to type where a page has the map of dates; for each what Python writes, and the weights.
            Left out, Python reads those that the map offers.
        shown: where a page has the sliders, the numbers that its sentence must have after each of `KEYS`.
            Left out, Python measures them.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return (
            "The check wants Playwright: pip install --constraint constraints-site.txt --editable '.[site]'"
        )
    places = sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*.html"))
    texts = {place: (pages / place).read_text(encoding="utf-8") for place in places}
    with_map, with_sliders = (
        [place for place, text in texts.items() if figure in text] for figure in (WITH_MAP, WITH_SLIDERS)
    )
    dates = read_by_python() if with_map and dates is None else dates
    shown = measured_by_python() if with_sliders and shown is None else shown
    with sync_playwright() as playwright, served(pages) as address, started(playwright) as browser:
        told = [f"{place}: {fault}" for place in places for fault in faults(browser, address, place)]
        told += [fault for words, place in searches.items() for fault in lost(browser, address, words, place)]
        told += [
            f"{place}: {fault}" for place in with_map for fault in misread(browser, address, place, dates)
        ]
        told += [
            f"{place}: {fault}"
            for place in with_sliders
            for fault in mismeasured(browser, address, place, shown)
        ]
    print("\n".join(dict.fromkeys(told)) or f"{len(places)} pages, and the search, are as they should be.")
    return int(bool(told))


def faults(browser, address, place):
    """Return what is wrong with a page."""
    with opened(browser, address) as (page, found):
        page.goto(f"{address}/{place}")
        page.evaluate("window.MathJax?.startup?.promise")
        found += page.evaluate("siteCheck.content()")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                seen = page.evaluate("siteCheck.layout", scheme == "dark")
                found += [f"{fault}, at {width} points, {scheme}" for fault in seen]
        found += page.evaluate("siteCheck.votes()")
    return found


def lost(browser, address, words, place):
    """Return what is wrong where one searches for words that stand in the page `place`."""
    from playwright.sync_api import TimeoutError

    with opened(browser, address) as (page, found):
        page.goto(f"{address}/search.html?q={quote(words)}")
        try:
            page.wait_for_selector(FOUND.format(place), timeout=PATIENCE)
        except TimeoutError:
            found.append(f"the search for {words!r} does not find {place}")
    return found


def misread(browser, address, place, dates):
    """Return what is wrong with the map of dates of a page, where one types dates and moves by keys."""
    with opened(browser, address) as (page, found):
        page.goto(f"{address}/{place}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            for text, (written, weights) in dates.items():
                page.locator(".date-map input").fill(text)
                seen = page.evaluate("siteCheck.dateMap()")
                if seen["written"] != written:
                    found.append(f"{text!r} becomes {seen['written']}, and by Python {written}")
                elif apart := distance(seen["weights"], weights):
                    found.append(f"the map of {text!r} is not that of Python: {apart}, at {width} points")
        found += keys_not_obeyed(page)
    return found


def distance(seen, weights):
    """Return in words how far a map is from another, or None where it is near enough."""
    sizes = [[len(row) for row in rows] for rows in (seen, weights)]
    if sizes[0] != sizes[1]:
        return f"rows of {sizes[0]} characters in place of {sizes[1]}"
    apart = max(
        abs(one - other)
        for row, others in zip(seen, weights, strict=True)
        for one, other in zip(row, others, strict=True)
    )
    return f"{apart:.2g} apart" if apart >= WITHIN else None


def keys_not_obeyed(page):
    """Return what is wrong where one goes along the answer of a map of dates by the keys."""
    page.locator(".date-map input").fill("3 July 2044")
    if not (count := page.locator(".date-map [role=radio]").count()):
        return ["the map of dates has no answer"]
    page.locator(".date-map [role=radio][aria-checked=true]").focus()
    last, found = count - 1, []
    for key, expected in (("Home", 0), ("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("End", last)):
        page.keyboard.press(key)
        seen = page.evaluate("siteCheck.chosen()")
        if seen != {"chosen": [expected], "focused": expected, "told": True}:
            found.append(f"after {key} the map of dates is at {seen}, not at {expected}")
    return found


def mismeasured(browser, address, place, shown):
    """Return what is wrong with the figure of a page that has sliders, where one moves them by keys."""
    with opened(browser, address) as (page, found):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(f"{address}/{place}")
            for (part, key, setting), numbers in zip(KEYS, shown, strict=True):
                page.locator(f".fading {part}").press(key)
                seen, after = (
                    page.evaluate("siteCheck.fading()"),
                    f"after {key} on {part}, at {width} points,",
                )
                if [each for each in numbers if f" {each} " not in seen["told"]]:
                    found.append(f"{after} the figure says {seen['told']!r}, and Python {numbers}")
                if seen["steps"] != [setting[-1]] * 2 or not seen["fits"]:
                    found.append(f"{after} the lines have {seen['steps']} steps, or do not fit")
    return found


def measured_by_python():
    """Return what the sentence of the figure must say after each of `KEYS`: two numbers."""
    from course_utils import live  # late, because it brings TensorFlow

    curves = [live.faded(*setting) for _, _, setting in KEYS]
    return [[live.in_words(left[-1]), live.in_words(arrived[0])] for left, arrived in curves]


def read_by_python():
    """Return what Python writes for the dates that the map offers, and the weights, by the date."""
    from course_utils import live  # late, because it brings TensorFlow
    from course_utils.records import date_reader

    pairs = date_reader.task()
    texts = [text for each in live.examples(pairs).values() for text in each]
    read = live.read(pairs, texts)
    return {
        text: ([token.strip("<>") for token in written], weights.tolist())
        for text, (written, weights) in zip(texts, read, strict=True)
    }


@contextlib.contextmanager
def opened(browser, address):
    """Give an empty page, and a list that fills with its errors and what it asks of other hosts."""
    page, found = browser.new_page(viewport={"width": WIDTHS[0], "height": 844}), []

    def asked(request):
        if not request.url.startswith((address, "data:", "blob:")):
            found.append(f"asks for {request.url}")

    page.add_init_script(path=IN_THE_PAGE)
    page.on("request", asked)
    page.on("console", lambda said: found.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("response", lambda got: found.append(f"{got.status}: {got.url}") if got.status >= 400 else None)
    try:
        yield page, found
    finally:
        page.close()


@contextlib.contextmanager
def started(playwright):
    """Start the browser that is installed here, or else Playwright's own, and give it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"] * is_root)
    try:
        yield browser
    finally:
        browser.close()


def installed():
    """Return where a browser is installed here, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def served(folder):
    """Serve a folder to this machine alone, and give its address."""
    handler = functools.partial(_Silent, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Say nothing: a page that is closed has stopped listening."""


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""

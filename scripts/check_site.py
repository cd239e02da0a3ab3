"""Opens every built page in headless Chromium without a network and fails on what a reader would trip over.

Each page is looked at in light and dark, 390 and 1366 pixels wide. Checked: no request to another host, none that
fails, no error on the console, no sideways scroll, alternative text on every image, every formula typeset, every
widget drawn; and every slider is moved by the keyboard and has to change the picture and have a name.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from websocket import WebSocketTimeoutException

from scripts.browser import Tab, find_chromium, open_tab, serve
from scripts.toc import ROOT, toc_files

WIDTHS = (390, 1366)
HEIGHT = 900
EXTRA_PAGES = ("search", "genindex")  # built by Sphinx, not named in _toc.yml

# Errors of the theme's own scripts, which no setting of ours avoids; nothing a reader sees is missing.
HARMLESS = (
    # sphinx_thebe is part of jupyter-book 1.x and declares its constants twice, also where Thebe is off
    "THEBE_JS_URL' has already been declared",
    # the theme looks for a table of contents on pages that have no second heading (search, index)
    "Cannot read properties of null (reading 'classList')",
)

READY = """
document.readyState === 'complete'
  && [...document.querySelectorAll('.math')].every(m => m.querySelector('mjx-container'))
  && [...document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')]
       .every(s => s.previousElementSibling && s.previousElementSibling.querySelector('.jupyter-widgets'))
"""

FAULTS = r"""
(() => {
  const faults = [];
  const name = (e) => (e.getAttribute('src') || e.textContent || '').trim().slice(0, 80);
  for (const i of document.images) {
    if (!(i.getAttribute('alt') || '').trim()) faults.push('image without alternative text: ' + name(i));
    if (i.complete && i.naturalWidth === 0) faults.push('image does not load: ' + name(i));
  }
  for (const m of document.querySelectorAll('.math')) {
    if (!m.querySelector('mjx-container')) faults.push('formula is not typeset: ' + name(m));
  }
  for (const m of document.querySelectorAll('[data-mjx-error]')) faults.push('error in a formula: ' + name(m));
  for (const s of document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')) {
    const area = s.previousElementSibling;
    if (!area || !area.querySelector('.jupyter-widgets')) faults.push('widget is not drawn: ' + name(s));
  }
  for (const e of document.querySelectorAll('.jupyter-widgets-error-widget')) faults.push('widget error: ' + name(e));
  return faults;
})()
"""

# the theme slides its bars in and out when the width changes; here that only costs time
NO_MOTION = """
document.head.append(Object.assign(document.createElement('style'), {textContent: '* {transition: none !important}'}))
"""
FITS = "document.scrollingElement.scrollWidth <= window.innerWidth"
# with the handles unseen, what changes in the picture is what the slider drives
SHOW_SLIDERS = "document.querySelectorAll('.widget-slider, [data-pen] svg').forEach(e => {{ e.style.opacity = {} }})"
# where what a slider drives is seen: its figure, not the whole page, whose pictures take seconds each
SURROUNDINGS = """
(({{x, y, width, height}}) => ({{x: x + scrollX, y: y + scrollY, width, height}}))
  ({}.closest('.cell_output, [data-pen]').getBoundingClientRect())
"""
RIGHT, LEFT = ("ArrowRight", 39), ("ArrowLeft", 37)
NAME = "({}).getAttribute('aria-label')"
HANDLES = "document.querySelectorAll('.widget-slider [role=slider], [data-pen] [role=slider]')"  # sliders, pens' points
HANDLE = HANDLES + "[{}]"


def pages(html: Path) -> list[str]:
    """Paths of the pages to open, relative to the site."""
    extra = [page for page in EXTRA_PAGES if (html / f"{page}.html").is_file()]
    return [f"{page}.html" for page in [*toc_files(), *extra]]


def prepare(tab: Tab, theme: str) -> None:
    """Choose light or dark for the pages that follow, as the theme's own button does."""
    for domain in ("Page", "Runtime", "Network", "Log"):
        tab.send(f"{domain}.enable")
    choose = f"try {{ localStorage.mode = localStorage.theme = {json.dumps(theme)} }} catch (e) {{}}"
    tab.send("Page.addScriptToEvaluateOnNewDocument", source=choose)


def set_width(tab: Tab, width: int) -> None:
    """Give the page a window of this width."""
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=False)


def load(tab: Tab, url: str) -> list[str]:
    """Open a page and wait until formulas and widgets are there; faults that show while loading."""
    tab.take_events()
    tab.send("Page.navigate", url=url)
    tab.wait_for(READY)  # what never gets ready is named by FAULTS
    tab.evaluate(NO_MOTION)
    return event_faults(tab.take_events(), urlsplit(url).netloc)


def event_faults(events: list[dict], host: str) -> list[str]:
    """Requests that fail or leave `host`, errors on the console, exceptions."""
    faults, urls = [], {}
    for event in events:
        method, p = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            url = urls[p["requestId"]] = p["request"]["url"]
            if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc != host:
                faults.append(f"request to another host: {url}")
        elif method == "Network.responseReceived" and p["response"]["status"] >= 400:
            faults.append(f"request fails with {p['response']['status']}: {p['response']['url']}")
        elif method == "Network.loadingFailed" and not p.get("canceled"):
            faults.append(f"request fails ({p['errorText']}): {urls.get(p['requestId'])}")
        elif method == "Runtime.exceptionThrown":
            details = p["exceptionDetails"]
            faults.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "assert"):
            faults.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in p["args"]))
        elif method == "Log.entryAdded" and p["entry"]["level"] == "error" and p["entry"]["source"] != "network":
            faults.append(f"log: {p['entry']['text']}")
    return [fault for fault in faults if not any(harmless in fault for harmless in HARMLESS)]


def look(tab: Tab, width: int) -> list[str]:
    """Faults of the page that is open, in a window of this width."""
    set_width(tab, width)
    if tab.wait_for(FITS, timeout=1.5):
        return tab.evaluate(FAULTS)
    needed = tab.evaluate("document.scrollingElement.scrollWidth")
    return [f"scrolls sideways: {needed} px", *tab.evaluate(FAULTS)]


def move_sliders(tab: Tab) -> tuple[int, list[str]]:
    """Move every slider by the keyboard: the number of sliders, and those that leave the picture as it was."""
    count = tab.evaluate(f"{HANDLES}.length")
    tab.evaluate(SHOW_SLIDERS.format(0))
    faults = [f"slider {i + 1} changes nothing" for i in range(count) if not slider_works(tab, HANDLE.format(i))]
    faults += [f"slider {i + 1} has no name" for i in range(count) if not tab.evaluate(NAME.format(HANDLE.format(i)))]
    tab.evaluate(SHOW_SLIDERS.format("''"))
    return count, faults


def steady_picture(tab: Tab, handle: str) -> bytes:
    """The pixels around a slider, once two pictures in a row are equal."""
    clip = tab.evaluate(SURROUNDINGS.format(handle))
    picture = tab.screenshot(clip)
    for _ in range(10):
        time.sleep(0.15)
        last, picture = picture, tab.screenshot(clip)
        if picture == last:
            break
    return picture


def slider_works(tab: Tab, handle: str) -> bool:
    """Whether an arrow key, pressed up to five times, changes the pixels around it, the sliders themselves left out."""
    tab.evaluate(f"{handle}.focus()")
    before, value = steady_picture(tab, handle), tab.evaluate(f"{handle}.getAttribute('aria-valuenow')")
    for key, code in (RIGHT, RIGHT, LEFT, LEFT, LEFT):
        tab.press(key, code)
        moved = tab.wait_for(f"{handle}.getAttribute('aria-valuenow') !== '{value}'", timeout=0.5)
        if moved and steady_picture(tab, handle) != before:
            return True
    return False


class Visit(NamedTuple):
    """One page, opened in one theme at the widths in their order."""

    name: str
    theme: str
    widths: tuple[int, ...]
    pictures: Path | None
    """Folder for pictures of it."""


def look_around(tab: Tab, address: str, visit: Visit) -> tuple[int, list[str]]:
    """How many sliders were moved on the page, and its faults, with theme and width where that matters."""
    name, theme = visit.name, visit.theme
    prepare(tab, theme)
    set_width(tab, visit.widths[0])
    faults, sliders = [f"{name} ({theme}): {fault}" for fault in load(tab, f"{address}/{name}")], 0
    for width in visit.widths:
        faults += [f"{name} ({theme}, {width} px): {fault}" for fault in look(tab, width)]
        if visit.pictures:
            file = f"{name.removesuffix('.html').replace('/', '-')}-{theme}-{width}.png"
            (visit.pictures / file).write_bytes(tab.screenshot())
    if theme == "light":
        sliders, dead = move_sliders(tab)
        faults += [f"{name}: {fault}" for fault in dead]
    faults += [f"{name} ({theme}): {f}" for f in event_faults(tab.take_events(), urlsplit(address).netloc)]
    return sliders, faults


def visited(chromium: str, address: str, visit: Visit) -> tuple[int, list[str]]:
    """`look_around` in a browser of its own; one that stops answering, as a busy machine's may, is replaced once."""
    for _ in range(2):
        try:
            with open_tab(chromium) as tab:
                return look_around(tab, address, visit)
        except WebSocketTimeoutException:
            pass
    return 0, [f"{visit.name} ({visit.theme}): two browsers stopped answering"]


def check(html: Path, chromium: str, pictures: Path | None) -> list[str]:
    """Faults of all pages."""
    faults, sliders, names = [], 0, pages(html)
    with serve(html) as address:
        # each theme starts at one width and is resized to the other, so both are also seen fresh
        for theme, widths in (("light", WIDTHS[::-1]), ("dark", WIDTHS)):
            for name in names:
                moved, found = visited(chromium, address, Visit(name, theme, widths, pictures))
                sliders, faults = sliders + moved, faults + found
    print(f"{len(names)} pages, light and dark, {WIDTHS[0]} and {WIDTHS[1]} px; {sliders} sliders moved")
    return faults


def main(argv: list[str] | None = None) -> int:
    """Exit status 0 when nothing is wrong, 1 for faults, 2 when there is no site or no browser."""
    parser = argparse.ArgumentParser(prog="check_site", description=__doc__.splitlines()[0])
    parser.add_argument("html", nargs="?", type=Path, default=ROOT / "_build" / "html", help="the built site")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="keep a picture of every page there")
    parser.add_argument("--if-chromium", action="store_true", help="without a browser, say so and exit with 0")
    options = parser.parse_args(argv)
    if not (options.html / "index.html").is_file():
        print(f"{options.html}: no built site there; run `make book` first", file=sys.stderr)
        return 2
    chromium = find_chromium()
    if chromium is None:
        print("No Chromium or Chrome found (set CHROMIUM=/path/to/it): the pages were not checked.", file=sys.stderr)
        return 0 if options.if_chromium else 2
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    faults = check(options.html.resolve(), chromium, options.screenshots)
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(faults)} faults, {time.monotonic() - start:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

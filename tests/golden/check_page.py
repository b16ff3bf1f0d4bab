#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML report as a browser lays it out: nothing wider than a phone, text that can be read in light and dark, everything on
paper. A frame around the page measures it from outside: the page itself runs no script. Screenshots of each look are left in
the build folder for people."""

import functools
import http.server
import json
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

FILES = Path(__file__).resolve().parent / "check"
BUILD = Path(sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "build/dev").resolve()
SCREENSHOTS = BUILD / "tests" / "check-page"
# preferredColorScheme of Blink's settings: 0 dark, 1 light.
THEMES = {"light": "1", "dark": "0"}
WIDTHS = {"phone": 360, "desktop": 1280}

# Contrast is that of WCAG 2.2: the relative luminance of an element's colour against the nearest background behind it.
FRAME = """<!DOCTYPE html><body style="margin:0"><iframe src="PAGE" style="width:WIDTHpx;height:800px;border:0"></iframe><pre id=out></pre><script>
const luminance = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (e, view) => { for (; e; e = e.parentElement) { const c = view.getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return "rgb(255, 255, 255)"; };
document.querySelector("iframe").onload = event => {
  const view = event.target.contentWindow, page = event.target.contentDocument;
  let lowest = 99, where = "";
  for (const e of page.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [luminance(view.getComputedStyle(e).color), luminance(behind(e, view))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < lowest) { lowest = contrast; where = e.outerHTML.slice(0, 120); }
  }
  const wide = [...page.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > view.innerWidth + 0.5).map(e => e.outerHTML.slice(0, 120));
  document.querySelector("#out").textContent = JSON.stringify({width: page.documentElement.scrollWidth, view: view.innerWidth, wide, lowest, where,
    background: behind(page.body, view), open: page.querySelectorAll("details[open]").length, all: page.querySelectorAll("details").length,
    requests: view.performance.getEntriesByType("resource").length});
};
</script>"""


def chromium(*arguments):
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                               f"--user-data-dir={profile}", *arguments], capture_output=True, text=True, timeout=120, check=True).stdout


class Server:
    """The files of the folder, and /frame/WIDTH/NAME."""

    def __enter__(self):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                asked = re.fullmatch(r"/frame/(\d+)/([\w.-]+)", self.path)
                if not asked:
                    return super().do_GET()
                body = FRAME.replace("PAGE", f"/{asked.group(2)}").replace("WIDTH", asked.group(1)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(FILES)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def measured(self, base, report, width, theme):
        page = chromium(f"--blink-settings=preferredColorScheme={THEMES[theme]}", f"--window-size={width},900", "--virtual-time-budget=5000",
                        "--dump-dom", f"{base}/frame/{width}/{report}-page.html")
        return json.loads(re.search(r'<pre id="out">(\{.*\})</pre>', page, re.S).group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))

    def test_fits_its_width_and_can_be_read(self):
        with Server() as base:
            for report in ("sample", "hostile"):
                backgrounds = set()
                for look, width in WIDTHS.items():
                    for theme in THEMES:
                        with self.subTest(report=report, look=look, theme=theme):
                            seen = self.measured(base, report, width, theme)
                            self.assertEqual((seen["view"], seen["width"], seen["wide"]), (width, width, []))
                            self.assertGreaterEqual(seen["lowest"], 4.5, seen["where"])
                            self.assertEqual(seen["requests"], 0)
                            self.assertGreater(seen["all"], seen["open"])
                            backgrounds.add(seen["background"])
                self.assertEqual(len(backgrounds), 2, "light and dark look the same")

    def test_paper_shows_what_is_folded_on_the_screen(self):
        with tempfile.TemporaryDirectory() as folder:
            pdf = f"{folder}/page.pdf"
            chromium("--blink-settings=preferredColorScheme=0", f"--print-to-pdf={pdf}", "--no-pdf-header-footer", f"file://{FILES}/sample-page.html")
            text = re.sub(r"\s+", " ", subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout)
        self.assertIn("passwordauthentication yes", text)  # open on the screen
        self.assertIn("INPUT DROP [iptables-save]", text)  # of a pass, folded there
        self.assertIn("stack: no Grafana", text)

    def test_screenshots_are_left(self):
        for look, width in WIDTHS.items():
            for theme, setting in THEMES.items():
                picture = SCREENSHOTS / f"{look}-{theme}.png"
                picture.unlink(missing_ok=True)
                chromium(f"--blink-settings=preferredColorScheme={setting}", f"--window-size={width},1600", f"--screenshot={picture}",
                         f"file://{FILES}/sample-page.html")
                self.assertGreater(picture.stat().st_size, 10_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)

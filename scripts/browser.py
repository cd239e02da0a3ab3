"""A headless Chromium without a network, driven over the DevTools protocol, and a web server for the built pages."""

import base64
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    # every name but the local address fails to resolve: nothing leaves this machine
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
START_TIMEOUT = 30.0  # seconds
CALL_TIMEOUT = 30.0


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome: $CHROMIUM, the PATH, or where macOS keeps it."""
    names = [os.environ.get("CHROMIUM", ""), *NAMES, str(MAC)]
    return next((path for path in map(shutil.which, names) if path), None)


class Tab:
    """One page of the browser; commands go out, events come in."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, timeout=CALL_TIMEOUT, suppress_origin=True)
        self.events: list[dict] = []
        self.last_id = 0

    def send(self, method: str, **parameters: object) -> dict:
        """Run one command and return its result; events that arrive meanwhile are kept."""
        self.last_id += 1
        self.socket.send(json.dumps({"id": self.last_id, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") != self.last_id:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']['message']}")
            else:
                return message["result"]

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression; a promise is awaited."""
        reply = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"{reply['exceptionDetails'].get('exception', {}).get('description')}: {expression}")
        return reply["result"].get("value")

    def wait_for(self, expression: str, timeout: float = 20.0) -> bool:
        """Wait until an expression is true; False when it does not come true in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.evaluate(f"Boolean({expression})"):
                return True
            time.sleep(0.1)
        return False

    def take_events(self) -> list[dict]:
        """Events since the last call."""
        events, self.events = self.events, []
        return events

    def screenshot(self, clip: dict | None = None) -> bytes:
        """PNG of the page, beyond the visible part too; `clip` is {x, y, width, height} in page coordinates."""
        if clip is None:
            clip = {"x": 0, "y": 0, **self.send("Page.getLayoutMetrics")["cssContentSize"]}
        reply = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip={**clip, "scale": 1})
        return base64.b64decode(reply["data"])

    def press(self, key: str, code: int) -> None:
        """Press and release one key, such as ("ArrowRight", 39)."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


@contextmanager
def open_tab(chromium: str) -> Iterator[Tab]:
    """Start a browser with a profile of its own and yield its first tab; the browser ends with the block."""
    root = ["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *FLAGS, *root, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield Tab(first_page(Path(profile) / "DevToolsActivePort", process))
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def first_page(port_file: Path, process: subprocess.Popen) -> str:
    """The address of the first tab's socket, once the browser has written the port it listens on."""
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        if port_file.exists() and len(lines := port_file.read_text().split()) == 2:
            port, path = lines
            tab = Tab(f"ws://127.0.0.1:{port}{path}")
            pages = [t for t in tab.send("Target.getTargets")["targetInfos"] if t["type"] == "page"]
            tab.socket.close()
            if pages:
                return f"ws://127.0.0.1:{port}/devtools/page/{pages[0]['targetId']}"
        time.sleep(0.1)
    raise RuntimeError("the browser did not start")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Requests are watched in the browser."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine and yield its address."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()

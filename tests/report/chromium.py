"""A page in a real Chromium, by the DevTools protocol over a pipe: no port, no profile that stays.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import select
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_S = 60
A_MOMENT = "new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 50); })"  # lets it draw, too
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """One Chromium, ended with the block that it was started in."""

    def __init__(self, *, width: int = 1280, height: int = 1000) -> None:
        """Start it, with a fresh profile."""
        self._profile = TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self._write_end = os.pipe()
        self._read_end, from_browser = os.pipe()
        self._buffer = b""
        self._process = _start(to_browser, from_browser, self._profile.name, f"--window-size={width},{height}")
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Return the browser."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        os.close(self._write_end)
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        os.close(self._read_end)
        self._profile.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Return the answer to one command; AssertionError where it is an error."""
        self._number += 1
        message = {
            "id": self._number,
            "method": method,
            "params": params,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read_end], [], [], max(0, until - time.monotonic()))
            assert ready, "Chromium does not answer"
            chunk = os.read(self._read_end, 1 << 20)
            assert chunk, "Chromium has ended"
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer


class Page:
    """A tab that shows one file."""

    def __init__(self, browser: Browser, path: Path) -> None:
        """Open the file and wait until it is loaded."""
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        browser.events.clear()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.bringToFront")
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("document.readyState === 'complete'")

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to one command to this tab."""
        return self._browser.call(method, self._session, **params)

    def run(self, script: str) -> Any:
        """Return what an expression, or the promise that it is, comes to."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait, a bounded time, until an expression is true."""
        until = time.monotonic() + PATIENCE_S
        while not self.run(condition):
            assert time.monotonic() < until, f"never true: {condition}"
            self.run(A_MOMENT)

    def wait_until_blocked(self, blocked_by: str) -> None:
        """Wait, a bounded time, until a request was blocked for a reason."""
        until = time.monotonic() + PATIENCE_S
        while not any(each["params"].get("blockedReason") == blocked_by for each in self._browser.events):
            assert time.monotonic() < until, f"never blocked by {blocked_by}"
            self.run(A_MOMENT)

    def press(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def resize(self, width: int, height: int, *, ratio: float = 1) -> None:
        """Give the tab another size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio, mobile=False
        )

    def prefer(self, scheme: str) -> None:
        """Let the system prefer light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save a screenshot, of what is in view or of the whole page."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(b64decode(answer["data"]))

    def complaints(self) -> list[str]:
        """Return what the browser said against the page: errors, exceptions, what its policy blocked."""
        self.run("0")
        return [str(event["params"]) for event in self._browser.events if _is_complaint(event)]

    def requests(self) -> list[str]:
        """Return every address that the page asked for."""
        self.run("0")
        events = self._browser.events
        return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]


def _is_complaint(event: dict[str, Any]) -> bool:
    match event["method"]:
        case "Runtime.exceptionThrown":
            return True
        case "Log.entryAdded":
            return bool(event["params"]["entry"]["level"] in {"error", "warning"})
        case "Runtime.consoleAPICalled":
            return bool(event["params"]["type"] in {"error", "warning"})
        case _:
            return False


def _start(to_browser: int, from_browser: int, profile: str, *flags: str) -> "subprocess.Popen[bytes]":
    """Start Chromium with the two ends of the pipe as its files 3 and 4."""
    joined = 'exec "$@" 3<&"$0" 4>&"$OUT"'
    return subprocess.Popen(  # noqa: S603 - a program of this machine, and words of ours
        ["/bin/bash", "-c", joined, str(to_browser), CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags],
        pass_fds=(to_browser, from_browser),
        env={**os.environ, "OUT": str(from_browser), "HOME": profile},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def opened(browser: Browser, path: Path) -> Iterator[Page]:
    """Open a file in a tab of its own."""
    page = Page(browser, path)
    try:
        yield page
    finally:
        page.close()

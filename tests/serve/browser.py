"""Chromium without a window, driven by the DevTools protocol through a pipe."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
OPTIONS = [
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-sandbox", "--disable-gpu"),
    *("--disable-dev-shm-usage", "--disable-background-networking", OFFLINE),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
]
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}


class Browser:
    """A browser with one page.

    Args:
        folder: Where it has its profile and puts downloads.

    Attributes:
        asked: Addresses that the page has asked for.
        complaints: What its console has of errors: also of what the policy forbids.
    """

    def __init__(self, folder: Path) -> None:
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._start(folder)
        self._ids = itertools.count(1)
        self._session: str | None = None
        self._pending = b""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def _start(self, folder: Path) -> None:
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 50) for pipe in (os.pipe(), os.pipe()) for end in pipe]
        for_it, self._to, self._from, by_it = ends
        assert PROGRAM is not None
        options = [*OPTIONS, f"--user-data-dir={folder / 'profile'}"]

        def take_pipes() -> None:
            os.dup2(for_it, 3)
            os.dup2(by_it, 4)

        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [PROGRAM, *options], preexec_fn=take_pipes, pass_fds=(3, 4), stdin=quiet, stdout=quiet, stderr=quiet
        )
        os.close(for_it)
        os.close(by_it)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._to)
        os.close(self._from)

    # ---- the protocol

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Has something done, and returns what comes of it."""
        message: dict[str, Any] = {"id": next(self._ids), "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = self._receive(deadline - time.monotonic())
            if answer.get("id") == message["id"]:
                assert "error" not in answer, answer
                return dict(answer["result"])
        raise TimeoutError(method)

    def _receive(self, seconds: float) -> dict[str, Any]:
        while b"\0" not in self._pending:
            if not select.select([self._from], [], [], seconds)[0]:
                return {}
            part = os.read(self._from, 1 << 20)
            assert part, "the browser has ended"
            self._pending += part
        data, _, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(data)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])

    # ---- what a person does

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 60) -> float:
        """Waits until something is so in the page; returns how long that took."""
        start = time.monotonic()
        while not self.run(condition):
            assert time.monotonic() < start + seconds, f"{condition}: {self.run('document.body.innerText')}"
            time.sleep(0.01)
        return time.monotonic() - start

    def middle(self, selector: str, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
        """Where something is, scrolled into view."""
        box = self.run(
            f"(() => {{ const it = document.querySelector({selector!r}); it.scrollIntoView({{block: 'center'}});"
            "const {left, top, width, height} = it.getBoundingClientRect(); return [left, top, width, height]; })()"
        )
        return box[0] + x * box[2], box[1] + y * box[3]

    def click(self, selector: str) -> None:
        self.drag(self.middle(selector))

    def drag(self, *points: tuple[float, float]) -> None:
        """Presses the mouse at the first point, and lets it go at the last."""
        for kind, (x, y) in (("mouseMoved", points[0]), ("mousePressed", points[0])):
            self._mouse(kind, x, y)
        for x, y in points[1:]:
            self._mouse("mouseMoved", x, y)
        self._mouse("mouseReleased", *points[-1])

    def _mouse(self, kind: str, x: float, y: float) -> None:
        held = 0 if kind == "mouseReleased" else 1
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=held, clickCount=1)

    def press(self, key: str, shift: bool = False) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            code = KEYS[key]
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=8 * shift
            )

    def drop(self, files: Sequence[Path], at: tuple[float, float]) -> None:
        """Drops files onto the page."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.send("Input.dispatchDragEvent", type=kind, x=at[0], y=at[1], data=data)

    def look(self, width: int, height: int, scheme: str = "light", is_phone: bool = False) -> None:
        """Takes a screen of a size and a color scheme."""
        ratio = 2 if is_phone else 1
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio, mobile=is_phone
        )
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def photograph(self, path: Path, whole: bool = True) -> None:
        """Keeps a picture of the page."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def downloaded(self, name: str, is_there: Callable[[Path], bool] = Path.is_file) -> Path:
        """A file that was saved."""
        path, deadline = self.downloads / name, time.monotonic() + 60
        while not is_there(path):
            assert time.monotonic() < deadline, sorted(self.downloads.iterdir())
            time.sleep(0.02)
        return path

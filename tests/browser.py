"""A real Chromium without a window, driven over the Chrome DevTools Protocol: it types and clicks as a person does.

What it complains about (exceptions, refusals by policy) and whom it asks is kept, for tests to look at."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-sandbox",  # root may not use it, and CI is root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--no-proxy-server",
    "--window-size=1280,800",
)
LISTENS: Final = "DevTools listening on "
PATIENCE: Final = 20.0  # seconds: for a machine that does much else beside; each fact is there in one or two
MODIFIERS: Final = {"Control": 2}
KEYS: Final = {"Enter": 13, "a": 65, "Backspace": 8}
RESTING: Final = """async element => {
  const place = () => (box => [box.x + box.width / 2, box.y + box.height / 2])(element.getBoundingClientRect());
  element.scrollIntoView({block: "nearest"});
  const before = place();
  await new Promise(done => setTimeout(done, 30));
  const now = place();
  return String(now) === String(before) && element.contains(document.elementFromPoint(...now)) && now;
}"""


def chromium() -> str | None:
    """The browser's path; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.asynccontextmanager
async def browsing(program: str, profile: Path) -> AsyncIterator[str]:
    """A browser of its own, whose processes all end with it: gives the address at which tabs are had."""
    running = await asyncio.create_subprocess_exec(
        program, *OPTIONS, f"--user-data-dir={profile}", stdout=DEVNULL, stderr=PIPE, start_new_session=True
    )
    try:
        assert running.stderr is not None
        async with asyncio.timeout(PATIENCE):
            said = b""
            while not said.startswith(LISTENS.encode()):
                said = await running.stderr.readline()
                assert said, "the browser ended before it listened"
        drained = asyncio.create_task(running.stderr.read())  # else it waits until it may go on complaining
        yield said.decode().removeprefix(LISTENS).strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()
    await drained


@contextlib.asynccontextmanager
async def tab(browser: str) -> AsyncIterator["Page"]:
    """An empty tab that shares nothing with others."""
    async with connect(browser, max_size=None) as socket:
        page = Page(socket)
        listening = asyncio.create_task(page.listen())
        try:
            await page.open()
            yield page
        finally:
            listening.cancel()


@dataclass
class Page:
    """One tab."""

    socket: ClientConnection
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # the addresses of requests and sockets
    _session: dict[str, str] = field(default_factory=dict)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def listen(self) -> None:
        """Read what the browser says, for as long as it is there."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" not in message:
                self._note(message.get("method"), message.get("params"))
            elif not (answer := self._answers.pop(message["id"])).done():
                answer.set_result(message)

    def _note(self, method: str, said: Any) -> None:
        match method:
            case "Runtime.exceptionThrown":
                details = said["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if said["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(said["entry"]["text"])
            case "Runtime.consoleAPICalled" if said["type"] in {"error", "warning", "assert"}:
                self.complaints.append(" ".join(str(part.get("value", part.get("description"))) for part in said["args"]))
            case "Network.requestWillBeSent":
                self.asked.append(said["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(said["url"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """What a command of the protocol gives."""
        number = next(self._numbers)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters, **self._session}))
        async with asyncio.timeout(PATIENCE):
            message = await answer
        assert "error" not in message, f"{method}: {message}"
        return message["result"]

    async def open(self) -> None:
        """Have a tab; it ends with the connection."""
        context = await self.call("Target.createBrowserContext", disposeOnDetach=True)
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=context["browserContextId"])
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session["sessionId"] = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def go(self, url: str) -> None:
        """Load a page; it may still be at work when this returns."""
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What an expression is worth in the page, as JSON."""
        given = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    async def until(self, expression: str) -> Any:
        """The value of an expression as soon as it is true."""
        seen = None
        found = f"(async () => {{ try {{ const it = await ({expression}); return it instanceof Node || it }} catch {{ return null }} }})()"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not (seen := await self.value(found)):  # noqa: ASYNC110 - a page tells nobody what has become true in it
                    await asyncio.sleep(0.03)
                return seen
        shown = await self.value("document.body.innerText")
        raise AssertionError(f"never true: {expression}\nthe page complains: {self.complaints}\nit shows: {shown[-2000:]}")

    async def click(self, element: str) -> None:
        """Click in the middle of what an expression gives, once it rests there and nothing covers it."""
        where = await self.until(f"({RESTING})({element})")
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    async def type(self, text: str) -> None:
        """Put a text where the focus is."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, *held: str) -> None:
        """Press a key while others are held."""
        pressed = {"key": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": sum(MODIFIERS[each] for each in held)}
        for kind in ("rawKeyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, **pressed)

    async def picture(self) -> bytes:
        """What it looks like, as a PNG."""
        return b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

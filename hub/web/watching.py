"""A stream on a terminal: follows a hub over graphql-transport-ws and prints a line for each frame, for a first look."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from hub.errors import StartupError

PROTOCOL: Final = Subprotocol("graphql-transport-ws")
EVENTS: Final = """
subscription Watch($after: Cursor) {
  interactionEvents(after: $after) {
    kind cursor reason interactionId
    event { type at status actorRole message progress { percent stage } }
  }
}
"""


async def watch(url: str, token: str, after: str | None, show: Callable[[str], None]) -> None:
    """Show frames until the hub ends the stream. Raises StartupError where there is no hub, or it refuses."""
    try:
        async with connect(url, subprotocols=[PROTOCOL]) as socket:
            await _send(socket, {"type": "connection_init", "payload": {"token": token}})
            async for message in _messages(socket):
                match message["type"]:
                    case "connection_ack":
                        await _send(socket, {"id": "1", "type": "subscribe", "payload": {"query": EVENTS, "variables": {"after": after}}})
                    case "next" if message["payload"].get("errors"):
                        raise StartupError(message["payload"]["errors"][0]["message"])
                    case "next":
                        show(_line(message["payload"]["data"]["interactionEvents"]))
                    case "error":
                        raise StartupError(message["payload"][0]["message"])
                    case "complete":
                        return
    except ConnectionClosed as closed:
        frame = closed.rcvd
        raise StartupError(f"The hub ended the connection: {frame.reason or frame.code}." if frame else "The connection broke.") from None
    except (OSError, WebSocketException) as error:
        raise StartupError(f"There is no hub at {url}: {str(error).rstrip('.')}.") from None


async def _messages(socket: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    while True:
        yield json.loads(await socket.recv())


async def _send(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(json.dumps(message))


def _line(frame: dict[str, Any]) -> str:
    if (event := frame["event"]) is None:
        return "  ".join(part for part in (frame["kind"], frame["interactionId"], frame["reason"]) if part)
    progress = event["progress"] or {}
    percent = f"{progress['percent']} %" if progress.get("percent") is not None else None
    told = (event["at"], event["type"], frame["interactionId"], event["status"], f"by {event['actorRole']}", percent, event["message"])
    return "  ".join(str(part) for part in told if part)

"""The console at /graphiql: GraphiQL, served by the hub itself to whoever develops against it.

Its files are bundled from `clients/console` into the directory of the same name beside this module. Files whose names carry a
hash of what they hold are kept by browsers for good; the page that names them is asked for anew each time.
"""

import re
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from hub.settings import Settings

PATH: Final = "/graphiql"
FILES: Final = Path(__file__).with_suffix("")
PAGE: Final = "index.html"
HASHED: Final = re.compile(r"[a-z]+-[A-Z0-9]{8}\.(js|css)")
NAMES: Final = frozenset(path.name for path in FILES.iterdir() if HASHED.fullmatch(path.name)) | {"THIRD-PARTY"}
MEDIA: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", "": "text/plain"}

# Styles too come from files alone: what the page sets on single elements goes through the object model, which this allows.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
GUARDED: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ANEW: Final = "no-cache"  # kept, but asked for each time whether it is still so
FOR_GOOD: Final = "public, max-age=31536000, immutable"


def routes(settings: Settings) -> list[Route]:
    """Those of the console; none where it is off."""
    return [Route(PATH, page), Route(f"{PATH}/{{name}}", asset)] if settings.has_console else []


async def page(_: Request) -> Response:
    """The page itself; its path has no slash at the end, so that it finds the hub beside it, under whatever prefix."""
    return _file(PAGE)


async def asset(request: Request) -> Response:
    """What the page names, and the licences of what it is made of."""
    name = request.path_params["name"]
    if name not in NAMES:
        raise HTTPException(404)
    return _file(name)


def _file(name: str) -> Response:
    kept = FOR_GOOD if HASHED.fullmatch(name) else ANEW
    return FileResponse(FILES / name, media_type=MEDIA[Path(name).suffix], headers=GUARDED | {"cache-control": kept})

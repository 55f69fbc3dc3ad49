"""What is run, of what a client asks for: a trusted document by its id, a text by its hash, or the text itself.

Every transport asks here first, and what it gets is treated like any other text: nothing is skipped for a trusted one.
A text that a client registers by its hash (Apollo's automatic persisted queries) saves bytes and is never trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from hub.access.viewers import Viewer
from hub.errors import BadInput, DocumentNotFound, DocumentNotTrusted
from hub.graph.execution import NotRun, Operation
from hub.graph.faults import told
from hub.graph.limits import TEXT
from hub.graph.modes import Modes
from hub.graph.remembered import Remembered
from hub.graph.signals import CURRENT
from hub.graph.trusted import HASH, Trusted
from hub.store.trusted import TrustedDocument

REGISTERED: Final = 1 << 20  # characters of texts that clients have registered: an app has some hundreds, of 2 KiB


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as it came: at least one of text, id and hash is there."""

    text: str | None = None
    variables: Mapping[str, Any] | None = None
    name: str | None = None
    document_id: str | None = None  # GraphQL over HTTP, appendix "Persisted Documents"
    sha256: str | None = None  # `extensions.persistedQuery.sha256Hash`


class Documents:
    """The one door between what is asked for and what is run."""

    def __init__(self, trusted: Trusted, modes: Modes) -> None:
        self._trusted = trusted
        self._modes = modes
        self.registered: Remembered[str] = Remembered(REGISTERED)

    async def operation(self, asked: Asked, viewer: Viewer) -> Operation:
        """What to run. Raises NotRun for an id or a hash that nobody knows, DocumentNotTrusted for a text of a viewer who may not
        write its own, BadInput for a text that is not the one named beside it; Unavailable."""
        if (trusted := await self._found(asked, viewer)) is not None:
            if asked.text not in {None, trusted.text}:
                raise BadInput("`query` is another text than the trusted document of this id has; leave it out.", "query")
            if (signal := CURRENT.get()) is not None:
                signal.trusted = trusted.name
            return Operation(trusted.text, asked.variables, asked.name)
        return Operation(self._text(asked, viewer), asked.variables, asked.name)

    async def _found(self, asked: Asked, viewer: Viewer) -> TrustedDocument | None:
        if (asked.document_id is None and asked.sha256 is None) or not self._modes.knows_ids(viewer):
            return None
        return await self._trusted.find(asked.document_id, asked.sha256)

    def _text(self, asked: Asked, viewer: Viewer) -> str:
        """The text that the client wrote, now or when it registered it."""
        may = self._modes.runs_text(viewer)
        if asked.text is None:
            registered = self.registered.get(asked.sha256) if asked.sha256 is not None and may else None
            if registered is None:
                raise NotRun([told(DocumentNotFound(is_hash=asked.sha256 is not None))])
            return registered
        _check_hash(asked.text, asked)
        if not may:
            raise DocumentNotTrusted
        if asked.sha256 is not None and not viewer.is_anonymous and len(asked.text) <= TEXT:  # nobody's is soon asked for again
            self.registered.keep(asked.sha256, asked.text, len(asked.text))
        return asked.text


def _check_hash(text: str, asked: Asked) -> None:
    """Raises BadInput where a hash that stands beside the text is not the text's."""
    by_id = asked.document_id.removeprefix(HASH) if asked.document_id is not None and asked.document_id.startswith(HASH) else None
    for given, path in ((by_id, ("documentId",)), (asked.sha256, ("extensions", "persistedQuery", "sha256Hash"))):
        if given is not None and given != hashed(text):
            raise BadInput(f"`{path[-1]}` is not the SHA-256 of `query`, in lower-case hex.", *path)


def hashed(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in lower-case hex."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()

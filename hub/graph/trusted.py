"""The trusted documents as one process knows them: the list of their ids, looked at anew every second, and the texts in use.

An id that is not on the list costs the database nothing, however many are tried.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

from hub.errors import Unavailable
from hub.graph.remembered import Remembered
from hub.store.trusted import TrustedDocument, TrustedDocuments

FRESH: Final = 1.0  # seconds for which the list counts: what is loaded or removed elsewhere is seen after as many
TEXTS: Final = 1 << 22  # characters of texts held: some thousand documents
HASH: Final = "sha256:"  # GraphQL over HTTP, appendix "Persisted Documents", "SHA256 Hex Document Identifier"


class Trusted:
    """The trusted documents, by what clients call them."""

    def __init__(self, kept: TrustedDocuments, clock: Callable[[], float] = monotonic) -> None:
        self._kept = kept
        self._clock = clock
        self._looked: float | None = None  # when the mark was looked at last
        self._mark: str | None = None
        self._hashes: Mapping[str, str] = {}
        self._ids: Mapping[str, str] = {}  # by hash
        self._texts: Remembered[TrustedDocument] = Remembered(TEXTS)
        self._looking = asyncio.Lock()

    async def find(self, document_id: str | None, sha256: str | None) -> TrustedDocument | None:
        """The document with this id, or of which this is the hash. Raises Unavailable."""
        await self.look()
        for _ in range(2):
            if (id := self._called(document_id, sha256)) is None:
                return None
            if (found := await self._document(id)) is not None:
                return found
            await self._read()  # it was replaced or removed a moment ago
        return None

    async def look(self) -> None:
        """See whether the list has changed. While the database is away the one before counts."""
        if self._is_fresh():
            return
        async with self._looking:
            if self._is_fresh():
                return
            try:
                if (mark := await self._kept.mark()) != self._mark:
                    await self._read()
                    self._mark = mark
            except Unavailable:
                if self._looked is None:
                    raise
            self._looked = self._clock()

    def _is_fresh(self) -> bool:
        return self._looked is not None and self._clock() - self._looked < FRESH

    async def _read(self) -> None:
        self._hashes = await self._kept.hashes()
        self._ids = {sha256: id for id, sha256 in self._hashes.items()}

    def _called(self, document_id: str | None, sha256: str | None) -> str | None:
        if document_id is not None:
            if document_id in self._hashes:
                return document_id
            if (id := self._ids.get(document_id.removeprefix(HASH))) is not None:
                return id
        if sha256 is None:
            return None
        return self._ids.get(sha256) or (sha256 if sha256 in self._hashes else None)

    async def _document(self, id: str) -> TrustedDocument | None:
        """As it is on the list."""
        expected, held = self._hashes[id], self._texts.get(id)
        if held is not None and held.sha256 == expected:
            return held
        found = await self._kept.find(id)
        if found is None or found.sha256 != expected:
            return None
        self._texts.keep(id, found, len(found.text))
        return found

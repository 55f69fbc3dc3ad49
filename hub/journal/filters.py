"""What a subscriber asks for: a filter over the facts that every entry carries, so that an event needs no read to be judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.domain.terms import Audience


@dataclass(frozen=True, slots=True)
class EventFilter:
    """None asks nothing; a set asks for one of. What is asked must all hold."""

    interaction_ids: frozenset[str] | None = None
    party_id: str | None = None
    types: frozenset[str] | None = None
    status: frozenset[str] | None = None
    kind: frozenset[str] | None = None
    topic: frozenset[str] | None = None
    vertical: frozenset[str] | None = None
    channel: frozenset[str] | None = None
    priority: frozenset[str] | None = None
    assignee_id: str | None = None
    public_only: bool = False

    def matches(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry is asked for."""
        return (
            (self.types is None or entry["type"] in self.types)
            and not (self.public_only and entry["audience"] != Audience.PUBLIC)
            and self._concerns(entry)
            and self._holds(entry["facts"])
        )

    def lets_go(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry took its interaction out of what is asked for."""
        was = entry.get("was")
        return bool(was) and self._concerns(entry) and not self._holds(entry["facts"]) and self._holds({**entry["facts"], **(was or {})})

    def narrows(self) -> dict[str, Any]:
        """A filter that MongoDB can apply with an index; what it leaves in is judged by `matches`."""
        return {} if self.interaction_ids is None else {"subject.id": {"$in": sorted(self.interaction_ids)}}

    def selects(self) -> dict[str, Any]:
        """A filter for MongoDB that leaves in what `matches`, and nothing else."""
        one_of = {
            "type": self.types,
            "facts.status": self.status,
            "facts.kind": self.kind,
            "facts.topic": self.topic,
            "facts.vertical": self.vertical,
            "facts.priority": self.priority,
            "facts.channels": self.channel,
        }
        same = {"facts.parties": self.party_id, "facts.assignee": self.assignee_id}
        return (
            self.narrows()
            | {path: {"$in": sorted(words)} for path, words in one_of.items() if words is not None}
            | {path: value for path, value in same.items() if value is not None}
            | ({"audience": str(Audience.PUBLIC)} if self.public_only else {})
        )

    def _concerns(self, entry: Mapping[str, Any]) -> bool:
        return self.interaction_ids is None or entry["subject"]["id"] in self.interaction_ids

    def _holds(self, facts: Mapping[str, Any]) -> bool:
        return (
            (self.party_id is None or self.party_id in (facts.get("parties") or ()))
            and (self.assignee_id is None or self.assignee_id == facts.get("assignee"))
            and (self.channel is None or not self.channel.isdisjoint(facts.get("channels") or ()))
            and all(
                wanted is None or facts.get(name) in wanted
                for name, wanted in (
                    ("status", self.status),
                    ("kind", self.kind),
                    ("topic", self.topic),
                    ("vertical", self.vertical),
                    ("priority", self.priority),
                )
            )
        )


EVERYTHING = EventFilter()

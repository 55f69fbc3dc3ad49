"""What is asked of the hub when its reading is measured: one question for each index, and for what no index answers."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bench.rows import COMMON, COMMONEST, EACH, OWNER, RARE_TOPIC, RARE_WORD, TOPICS, Company, entity_of
from hub.domain.lifecycle import OPEN
from hub.web.hub import now

ROWS: Final = 50  # of a page
DEEP: Final = 1_000

FIELDS: Final = "id revision status priority reason createdAt"
ARGUMENTS: Final = "filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last"
DECLARED: Final = "$filter: InteractionFilter, $orderBy: InteractionOrder, $first: Int, $after: String, $last: Int"
JOINS: Final = "customer { id name } assignee { id name } parties { role party { id name } }"
PAGE: Final = f"query({DECLARED}) {{ interactions({ARGUMENTS}) {{ nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}"
JOINED: Final = PAGE.replace(FIELDS, f"{FIELDS} {JOINS}")
COUNT: Final = "query($filter: InteractionFilter) { interactions(filter: $filter, first: 1) { totalCount totalCountIsExact } }"
PARTIES: Final = (
    "query($text: String, $contact: String) { parties(text: $text, contact: $contact, first: 50) { nodes { id name } "
    "pageInfo { hasNextPage endCursor } } }"
)

Variables = Mapping[str, Any]
Command = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and what it may find: `deep` and `middle` are cursors so far into the newest."""

    company: Company
    chance: random.Random
    deep: str
    middle: str
    names: Sequence[str]  # of some customers

    def one_of(self, things: Sequence[str]) -> str:
        """Any, so that not always the same is asked for."""
        return self.chance.choice(things)


@dataclass(frozen=True, slots=True)
class Question:
    """One operation; `plain` makes of a command that the hub sent what is asked of MongoDB without the hub's care."""

    name: str
    variables: Callable[[Asker], Variables]
    query: str = PAGE
    who: str = "agent"
    is_page: bool = True  # which costs the same at any number of rows
    plain: Callable[[Command, Company], Command] | None = None


def page(name: str, who: str = "agent", order: str | None = None, query: str = PAGE, *, is_page: bool = True, **filter: Any) -> Question:
    """A page of 50; a value that can be called is asked for anew each time."""

    def variables(asker: Asker) -> Variables:
        wanted = {field: value(asker) if callable(value) else value for field, value in filter.items()}
        by, _, direction = (order or "").partition(" ")
        return {"first": ROWS, "filter": wanted or None, "orderBy": {"field": by, "direction": direction or "DESC"} if by else None}

    return Question(name, variables, query, who, is_page)


def count(name: str, **filter: Any) -> Question:
    """How many there are."""
    return Question(name, lambda asker: {"filter": filter or None}, COUNT, is_page=False, plain=_uncounted)


def _skipping(rows: Callable[[Company], int]) -> Callable[[Command, Company], Command]:
    """By an offset in place of a cursor."""
    return lambda command, company: {name: value for name, value in command.items() if name != "filter"} | {"skip": rows(company)}


def _uncounted(command: Command, company: Company) -> Command:
    """Without a limit."""
    if "pipeline" not in command:
        return command
    return command | {"pipeline": [stage for stage in command["pipeline"] if "$limit" not in stage]}


def _customer(asker: Asker) -> str:
    return asker.one_of(asker.company.customers)


def _agent(asker: Asker) -> str:
    return asker.one_of(asker.company.agents)


def _partner(asker: Asker) -> str:
    return asker.one_of(asker.company.partners)


def _ticket(asker: Asker) -> Variables:
    return {"owner": OWNER, "type": "ticket", "value": str(asker.chance.randrange(asker.company.rows // 10) * 10)}


def _order(asker: Asker) -> Variables:
    return {"type": "ProductOrder", "entityId": entity_of(asker.chance.randrange(asker.company.rows))}


def _week(asker: Asker) -> Variables:
    begin = now() - timedelta(days=asker.chance.randrange(8, 350))
    return {"from": begin.isoformat(), "to": (begin + timedelta(days=7)).isoformat()}


ALL_OPEN: Final = sorted(OPEN)

QUESTIONS: Final = (
    page("newest first"),
    Question(
        f"newest first, {DEEP:,} rows deep",
        lambda asker: {"first": ROWS, "after": asker.deep},
        plain=_skipping(lambda company: DEEP),
    ),
    Question(
        "newest first, half of all deep",
        lambda asker: {"first": ROWS, "after": asker.middle},
        plain=_skipping(lambda company: company.rows // 2),
    ),
    Question("the last 50 of all", lambda asker: {"last": ROWS}),
    page("newest first, with customer, assignee, parties", query=JOINED),
    page("UPDATED_AT", order="UPDATED_AT"),
    page("createdAt: a week", createdAt=_week),
    page("status OPEN", status=["OPEN"]),
    page("status: any open", status=ALL_OPEN),
    page("status COMPLETED", status=["COMPLETED"]),
    page("status OPEN, by PRIORITY", order="PRIORITY", status=["OPEN"]),
    page("status OPEN, by PRIORITY, least first", order="PRIORITY ASC", status=["OPEN"]),
    page("by PRIORITY", order="PRIORITY"),
    page("status OPEN or HELD, by PRIORITY", order="PRIORITY", status=["OPEN", "HELD"]),
    page("status: any open, by PRIORITY", order="PRIORITY", status=ALL_OPEN),
    page("status: any open, by UPDATED_AT", order="UPDATED_AT", status=ALL_OPEN),
    page("by NEXT_UPDATE_DUE_AT", order="NEXT_UPDATE_DUE_AT ASC"),
    page("status HELD, by NEXT_UPDATE_DUE_AT", order="NEXT_UPDATE_DUE_AT ASC", status=["HELD"]),
    page("overdue", overdue=True),
    page("overdue, by NEXT_UPDATE_DUE_AT", order="NEXT_UPDATE_DUE_AT ASC", overdue=True),
    page("partyId: a customer", partyId=_customer),
    page("partyId: a customer, by UPDATED_AT", order="UPDATED_AT", partyId=_customer),
    page("partyId: a partner in 2 % of all", partyId=_partner),
    page("partyId: such a partner, by UPDATED_AT", order="UPDATED_AT", partyId=_partner),
    page("assigneeId", assigneeId=_agent),
    page("assigneeId, status: any open", assigneeId=_agent, status=ALL_OPEN),
    page("unassigned, status OPEN", unassigned=True, status=["OPEN"]),
    page("externalIdentifier", externalIdentifier=_ticket),
    page("entity", entity=_order),
    page("topic: one of nine", topic=lambda asker: [asker.one_of(TOPICS)]),
    page("a CUSTOMER's own", "customer"),
    page("a CUSTOMER's own, by UPDATED_AT", "customer", "UPDATED_AT"),
    page("a PARTNER's own", "partner"),
    page("a PARTNER's own, by UPDATED_AT", "partner", "UPDATED_AT"),
    page("text: a rare word", text=RARE_WORD),
    page("text: a word of 10 %, of a customer", text=COMMON, partyId=_customer),
    page("text: a word of 10 %, as a CUSTOMER", "customer", text=COMMON),
    page("text: a word of 10 %", text=COMMON),
    Question("parties, text: a whole name", lambda asker: {"text": asker.one_of(asker.names)}, PARTIES),
    Question(
        "parties, contact",
        lambda asker: {"contact": f"Customer.{asker.chance.randrange(asker.company.rows // EACH)}@example.com"},
        PARTIES,
    ),
    count("totalCount"),
    count("totalCount, status COMPLETED", status=["COMPLETED"]),
    count("totalCount, status: any open", status=ALL_OPEN),
    count("totalCount, overdue", overdue=True),
    count("totalCount, a rare topic", topic=[RARE_TOPIC]),
)

BROAD: Final = (
    page("a topic that nothing has", topic=["no-such-topic"]),
    page("text: the commonest word, by PRIORITY", order="PRIORITY", text=COMMONEST),
    page("status HELD, of a rare topic, OUTBOUND", status=["HELD"], topic=[RARE_TOPIC], direction="OUTBOUND"),
    page("rows of a rare topic", topic=[RARE_TOPIC]),
    count("totalCount of a topic that nothing has", topic=["no-such-topic"]),
)
"""What no index narrows: answered in time, or told to be TOO_BROAD."""

"""Parties as GraphQL sees them."""

import strawberry

from hub.access.mandates import CUSTOMER, CUSTOMER_AND_PARTNER, ROOTS, STAFF_SYSTEM_AND_PRIVACY
from hub.graph.enums import ContactMediumKind, PartyKind
from hub.graph.fields import Gate, stored
from hub.graph.nodes import Node
from hub.graph.redactions import Redaction, redacted

NAMES = Gate(STAFF_SYSTEM_AND_PRIVACY)
ADDRESSES = ROOTS["Query.party"].scopes  # a client that may not ask for parties does not get at them by a join either


@strawberry.type(description="One way to reach a party.")
class ContactMedium:
    kind: ContactMediumKind = stored("kind")
    address: str = stored("address")
    preferred: bool = stored("preferred")


@strawberry.type(description="The name that another system knows something by.")
class ExternalIdentifier:
    owner: str = stored("owner")
    type: str | None = stored("type")
    value: str = stored("value")


@strawberry.type(description="A person, an organization or a system that takes part in interactions.")
class Party(Node):
    revision: int = stored("seq", description="Grows with every change.")
    kind: PartyKind = stored("kind")
    name: str | None = stored(
        "name", mask=NAMES, description="Whole for staff and for oneself; initials of customers for a PARTNER; null for others."
    )
    preferred_language: str | None = stored("preferredLanguage", mask=NAMES)
    contact_media: list[ContactMedium] | None = stored(
        "contactMedia", requires=STAFF_SYSTEM_AND_PRIVACY, own=CUSTOMER, scopes=ADDRESSES, default=()
    )
    external_identifiers: list[ExternalIdentifier] | None = stored(
        "externalIdentifiers", requires=STAFF_SYSTEM_AND_PRIVACY, own=CUSTOMER_AND_PARTNER, scopes=ADDRESSES, default=()
    )
    redactions: list[Redaction] = redacted()

    @classmethod
    def is_type_of(cls, obj: object, info: object) -> bool:
        return True

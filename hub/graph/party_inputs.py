"""Inputs about parties and their roles, and what they mean as commands. Null clears and absence keeps."""

from datetime import datetime

import strawberry

from hub.commands.asking import Keep
from hub.commands.parties import Media, Update, Upsert
from hub.commands.party_roles import End, Grant
from hub.domain.parties import ContactMedium
from hub.graph.enums import ContactMediumKind, PartyKind
from hub.graph.inputs import ExternalIdentifierInput, sent


@strawberry.input
class ContactMediumInput:
    kind: ContactMediumKind
    address: str
    preferred: bool = False


@strawberry.input
class UpsertPartyInput:
    kind: PartyKind
    name: str
    id: strawberry.ID | None = None
    preferred_language: str | None = strawberry.UNSET
    contact_media: list[ContactMediumInput] | None = strawberry.UNSET
    external_identifier: ExternalIdentifierInput | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> Upsert:
        return Upsert(
            kind=self.kind,
            called=self.name,
            id=self.id,
            preferred_language=sent(self.preferred_language),
            contact_media=_media(sent(self.contact_media)),
            external_identifier=self.external_identifier.meant("input", "externalIdentifier") if self.external_identifier else None,
            expected_revision=self.expected_revision,
        )


@strawberry.input(description="What is left out stays; null clears.")
class UpdatePartyInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    preferred_language: str | None = strawberry.UNSET
    contact_media: list[ContactMediumInput] | None = strawberry.UNSET
    expected_revision: int | None = None
    idempotency_key: str | None = None

    def meant(self) -> Update:
        return Update(
            id=self.id,
            called=sent(self.name),
            preferred_language=sent(self.preferred_language),
            contact_media=_media(sent(self.contact_media)),
            expected_revision=self.expected_revision,
        )


@strawberry.input
class GrantPartyRoleInput:
    party_id: strawberry.ID
    name: str = strawberry.field(description="What the company calls it: customer, guardian, supplier.")
    valid_from: datetime | None = strawberry.field(default=None, description="Left out: from now on.")
    valid_to: datetime | None = strawberry.field(default=None, description="Without this moment itself; left out: until it is ended.")
    idempotency_key: str | None = None

    def meant(self) -> Grant:
        return Grant(party_id=self.party_id, called=self.name, valid_from=self.valid_from, valid_to=self.valid_to)


@strawberry.input
class EndPartyRoleInput:
    id: strawberry.ID
    reason: str | None = None
    idempotency_key: str | None = None

    def meant(self) -> End:
        return End(id=self.id, reason=self.reason)


def _media(media: list[ContactMediumInput] | Keep | None) -> Media:
    """Each checked, and named by its place where it is refused."""
    if media is None or isinstance(media, Keep):
        return media
    return [
        ContactMedium.of(medium.kind, medium.address, medium.preferred, "input", "contactMedia", str(index))
        for index, medium in enumerate(media)
    ]

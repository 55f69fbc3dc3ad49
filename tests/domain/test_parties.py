"""Parties: registered once, changed only when something is different."""

from dataclasses import asdict
from typing import Final

import pytest

from hub.domain.ids import PartyId
from hub.domain.parties import (
    CONTACT_MEDIA,
    IDENTIFIERS,
    ContactMedium,
    ExternalIdentifier,
    Party,
    PartyEventType,
    Wanted,
)
from hub.domain.terms import ContactMediumKind, PartyKind
from hub.errors import BadInput
from hub.store.documents import party_document, party_from
from tests.domain.cases import HOUR, START

ID: Final = PartyId("par_" + "0" * 32)
MAIL: Final = ContactMedium(ContactMediumKind.EMAIL, "ada@example.com", preferred=True)
CRM: Final = ExternalIdentifier("crm", "4711")


def ada() -> Party:
    return Party.register(ID, kind=PartyKind.INDIVIDUAL, name=" Ada Hopper ", at=START)[0]


def test_a_party_is_registered_with_one_event() -> None:
    party, event = Party.register(
        ID,
        kind=PartyKind.ORGANIZATION,
        name=" Northlight ",
        at=START,
        preferred_language="de-AT",
        contact_media=[MAIL],
        external_identifiers=[CRM],
    )

    assert (party.seq, party.kind, party.name, party.preferred_language) == (1, PartyKind.ORGANIZATION, "Northlight", "de-AT")
    assert (party.contact_media, party.external_identifiers) == ((MAIL,), (CRM,))
    assert (party.created_at, party.updated_at) == (START, START)
    assert (event.type, event.seq, event.at, event.changed) == (PartyEventType.REGISTERED, 1, START, ())


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(kind=PartyKind.ORGANIZATION), "kind"),
        (Wanted(name="Ada King"), "name"),
        (Wanted(preferred_language="fr"), "preferredLanguage"),
        (Wanted(contact_media=[MAIL]), "contactMedia"),
        (Wanted(external_identifiers=[CRM]), "externalIdentifiers"),
    ],
)
def test_a_change_is_one_event_that_names_what_is_different(wanted: Wanted, field: str) -> None:
    before = ada()

    after, event = before.change(at=START + HOUR, **wanted)

    assert event is not None
    assert (event.type, event.seq, event.at, event.changed) == (PartyEventType.CHANGED, 2, START + HOUR, (field,))
    assert {name for name, value in asdict(after).items() if value != asdict(before)[name]} == {*wanted, "seq", "updated_at"}


def test_what_stays_as_it_was_writes_nothing() -> None:
    before, _ = ada().change(at=START, contact_media=[MAIL], preferred_language="en")

    after, event = before.change(
        at=START + HOUR, kind=PartyKind.INDIVIDUAL, name="Ada Hopper ", preferred_language="en", contact_media=[MAIL]
    )

    assert after is before
    assert event is None


def test_null_and_the_empty_list_clear() -> None:
    before, _ = ada().change(at=START, contact_media=[MAIL], preferred_language="en")

    after, event = before.change(at=START, contact_media=[], preferred_language=None)

    assert (after.contact_media, after.preferred_language) == ((), None)
    assert event is not None
    assert event.changed == ("contactMedia", "preferredLanguage")


def test_no_clock_turns_it_back() -> None:
    after, event = ada().change(at=START - HOUR, name="Ada King")

    assert event is not None
    assert after.updated_at == event.at == START


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(name=" "), "name"),
        (Wanted(name="x" * 501), "name"),
        (Wanted(preferred_language="x" * 36), "preferredLanguage"),
        (Wanted(contact_media=[MAIL] * (CONTACT_MEDIA + 1)), "contactMedia"),
        (Wanted(external_identifiers=[CRM] * (IDENTIFIERS + 1)), "externalIdentifier"),
    ],
)
def test_registering_and_changing_have_the_same_limits(wanted: Wanted, field: str) -> None:
    given = Wanted(kind=PartyKind.INDIVIDUAL, name="Ada")
    given.update(wanted)

    with pytest.raises(BadInput) as at_change:
        ada().change(at=START, **wanted)
    with pytest.raises(BadInput) as at_start:
        Party.register(ID, at=START, **given)

    assert at_change.value.path == at_start.value.path == ("input", field)


def test_as_much_as_is_allowed_is_taken() -> None:
    wanted = Wanted(
        name="x" * 500, preferred_language="x" * 35, contact_media=[MAIL] * CONTACT_MEDIA, external_identifiers=[CRM] * IDENTIFIERS
    )

    party, _ = ada().change(at=START, **wanted)

    assert (len(party.contact_media), len(party.external_identifiers)) == (CONTACT_MEDIA, IDENTIFIERS)


def test_identifiers_and_addresses_are_checked_texts() -> None:
    assert ExternalIdentifier.of(" crm ", " 1 ", None, "input", "externalIdentifier") == ExternalIdentifier("crm", "1")
    assert ContactMedium.of(ContactMediumKind.SMS, " +1 ", False, "input") == ContactMedium(ContactMediumKind.SMS, "+1")
    for owner, value, type_, field in (("", "1", None, "owner"), ("crm", "", None, "value"), ("crm", "1", "", "type")):
        with pytest.raises(BadInput) as refused:
            ExternalIdentifier.of(owner, value, type_, "input", "externalIdentifier")
        assert refused.value.path == ("input", "externalIdentifier", field)
    with pytest.raises(BadInput) as refused:
        ContactMedium.of(ContactMediumKind.SMS, "\x00", False, "input", "contactMedia", "0")
    assert refused.value.path == ("input", "contactMedia", "0", "address")


def test_a_party_comes_back_from_its_document_as_it_was() -> None:
    for party in (ada(), ada().change(at=START, contact_media=[MAIL], preferred_language="en", external_identifiers=[CRM])[0]):
        assert party_from(party_document(party)) == party

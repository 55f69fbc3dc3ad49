"""TMF683 documents as they really come: what is understood, what is repaired and how, what is kept, what cannot be read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.parties import ExternalIdentifier
from hub.domain.terms import ChannelType, Direction, InvolvementRole, NoteVisibility, PartyKind, Role, Status
from hub.domain.texts import LONG, SHORT
from hub.exchange.lenient import DEEPEST, Unreadable
from hub.exchange.tmf683 import NO_RESOLUTION, Read, read

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
Document = dict[str, Any]


def reading(document: Mapping[str, Any]) -> Read:
    return read(document, now=NOW)


def repairs(document: Mapping[str, Any]) -> dict[str, str]:
    return {repair.path: repair.what for repair in reading(document).repairs}


def extra(document: Mapping[str, Any]) -> Any:
    return json.loads(reading(document).command.extra or "{}")


def v5(document: Document) -> Document:
    """The same as the fifth version of the standard writes it."""
    related = [
        {
            "@type": "RelatedPartyOrPartyRole",
            "role": party["role"],
            "partyOrPartyRole": {"@type": "PartyRef", **{name: value for name, value in party.items() if name != "role"}},
        }
        for party in document["relatedParty"]
    ]
    items = [
        item | {"@type": "InteractionItem", "item": {"@type": "RelatedEntityRefOrValue", "role": "subject", "entity": item["item"]}}
        for item in document["interactionItem"]
    ]
    channels = [{"@type": "RelatedChannel", "role": "call", "channel": channel} for channel in document["channel"]]
    rest = {name: value for name, value in document.items() if name != "channel"}
    return rest | {"relatedParty": related, "interactionItem": items, "relatedChannel": channels}


# ---------------------------------------------------------------- what is understood


def test_a_good_document_needs_no_repair(document: Document) -> None:
    assert reading(document).repairs == ()


def test_a_good_document_is_understood(document: Document) -> None:
    command = reading(document).command

    assert command.identifier == ExternalIdentifier("TMF683", "int-1", "PartyInteraction")
    assert (command.status, command.direction) == (Status.COMPLETED, Direction.INBOUND)
    assert command.created_at == datetime(2024, 3, 5, 9, tzinfo=UTC)
    assert command.started_at == datetime(2024, 3, 5, 8, 55, tzinfo=UTC)
    assert command.ended_at == command.updated_at == datetime(2024, 3, 5, 9, 10, 0, 500_000, tzinfo=UTC)
    assert [(channel.type, channel.name) for channel in command.channels] == [(ChannelType.PHONE, "Hotline")]
    assert [(party.name, party.roles) for party in command.parties] == [
        ("Nora Field", (InvolvementRole.CUSTOMER,)),
        ("Sam Tiller", (InvolvementRole.AGENT,)),
    ]
    assert [party.identifier for party in command.parties] == [
        ExternalIdentifier("TMF632", "c1", "Individual"),
        ExternalIdentifier("TMF632", "a1", "Individual"),
    ]
    item, note = command.items[0], command.notes[0]
    assert (item.type, item.resolution, item.resolved_at) == ("CustomerBill", "Explained", datetime(2024, 3, 5, 9, 9, tzinfo=UTC))
    assert (note.text, note.author, note.author_role) == ("Please look at page 2.", command.parties[0].identifier, Role.CUSTOMER)


def test_version_five_means_the_same_as_version_four(document: Document) -> None:
    four, five = reading(document), reading(v5(document))

    assert five.repairs == ()
    assert {**_fields(five), "extra": None} == {**_fields(four), "extra": None}


def _fields(found: Read) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(orjson.dumps(found.command))
    return fields


def test_an_owner_keeps_the_ids_of_two_systems_apart(document: Document) -> None:
    one, other = (read(document, now=NOW, owner=owner).command for owner in ("crm", "shop"))

    assert {one.identifier.owner, *(party.identifier.owner for party in one.parties)} == {"crm"}
    assert set(one.touches()).isdisjoint(other.touches())


@pytest.mark.parametrize(
    ("author", "visibility", "role"),
    [
        ("Nora Field", NoteVisibility.PUBLIC, Role.CUSTOMER),
        ("nora field", NoteVisibility.PUBLIC, Role.CUSTOMER),
        ("Sam Tiller", NoteVisibility.INTERNAL, Role.AGENT),
        ("Nobody Here", NoteVisibility.INTERNAL, Role.SYSTEM),
        (None, NoteVisibility.INTERNAL, Role.SYSTEM),
    ],
)
def test_only_a_customers_own_note_is_public(document: Document, author: str | None, visibility: NoteVisibility, role: Role) -> None:
    document["note"][0]["author"] = author

    note = reading(document).command.notes[0]

    assert (note.visibility, note.author_role) == (visibility, role)


def test_an_unknown_author_is_kept_in_extra(document: Document) -> None:
    document["note"][0]["author"] = "Nobody Here"

    assert "note[0].author" in repairs(document)
    assert extra(document)["note"][0]["author"] == "Nobody Here"


# ---------------------------------------------------------------- what is kept


def test_what_the_model_does_not_know_is_kept_whole(document: Document) -> None:
    document |= {
        "href": "https://crm.example/int-1",
        "attachment": [{"id": "at1", "name": "receipt", "size": {"amount": 3, "units": "KB"}}],
        "interactionRelationship": [{"id": "9", "relationshipType": "parentInteraction"}, {"id": "8", "relationshipType": "parent"}],
        "campaign": {"code": "spring", "wave": 2},
    }

    kept = extra(document)

    assert {name: kept[name] for name in ("href", "attachment", "interactionRelationship", "campaign")} == {
        name: document[name] for name in ("href", "attachment", "interactionRelationship", "campaign")
    }
    assert kept["channel"] == [{"id": "ch1", "href": "https://channels.example/ch1", "@type": "phone"}]
    assert kept["note"] == [{"id": "n1"}]


def test_what_is_understood_is_not_kept_twice(document: Document) -> None:
    kept = reading(document).command.extra or ""

    assert not [text for text in ("Nora Field", "Sam Tiller", "page 2", "too high", "credited", "completed") if text in kept]


# ---------------------------------------------------------------- what is repaired


@pytest.mark.parametrize(
    ("spelled", "status"),
    [
        ("ongoing", Status.IN_PROGRESS),
        ("In-Progress", Status.IN_PROGRESS),
        ("IN_PROGRESS", Status.IN_PROGRESS),
        ("Opened", Status.OPEN),
        ("pending", Status.HELD),
        ("Resolved", Status.RESOLVED),
        ("closed", Status.COMPLETED),
        ("canceled", Status.CANCELLED),
        ("gone fishing", Status.COMPLETED),
    ],
)
def test_a_status_is_known_however_it_is_spelled(document: Document, spelled: str, status: Status) -> None:
    document["status"] = spelled

    assert reading(document).command.status is status
    assert "status" in repairs(document)
    assert extra(document)["status"] == spelled


@pytest.mark.parametrize(("spelled", "status"), [("open", Status.OPEN), ("opened", Status.OPEN), ("inProgress", Status.IN_PROGRESS)])
def test_the_standards_own_words_are_no_repair(document: Document, spelled: str, status: Status) -> None:
    document["status"] = spelled
    del document["interactionDate"]["endDateTime"], document["resolution"]

    assert reading(document).command.status is status
    assert repairs(document) == {}


def test_a_missing_status_is_completed_where_there_is_an_end(document: Document) -> None:
    del document["status"]
    assert reading(document).command.status is Status.COMPLETED

    del document["interactionDate"]["endDateTime"], document["resolution"]
    assert reading(document).command.status is Status.OPEN
    assert "OPEN" in repairs(document)["status"]


def test_an_open_interaction_keeps_its_end_in_extra(document: Document) -> None:
    document["status"] = "ongoing"

    assert reading(document).command.ended_at is None
    assert extra(document)["interactionDate"] == {"endDateTime": "2024-03-05T09:10:00.500Z"}
    assert {"interactionDate.endDateTime", "resolution", "status"} <= repairs(document).keys()


@pytest.mark.parametrize(
    ("spelled", "direction"),
    [("inbounds", Direction.INBOUND), ("OUTBOUND", Direction.OUTBOUND), ("outgoing", Direction.OUTBOUND), ("up", Direction.INBOUND)],
)
def test_a_direction_is_known_however_it_is_spelled(document: Document, spelled: str, direction: Direction) -> None:
    document["direction"] = spelled

    assert reading(document).command.direction is direction
    assert "direction" in repairs(document)
    assert extra(document)["direction"] == spelled


@pytest.mark.parametrize(
    ("name", "attribute", "default"),
    [
        ("direction", "direction", Direction.INBOUND),
        ("resolution", "resolution", NO_RESOLUTION),
        ("creationDate", "created_at", datetime(2024, 3, 5, 8, 55, tzinfo=UTC)),
    ],
)
def test_a_missing_attribute_has_a_default(document: Document, name: str, attribute: str, default: object) -> None:
    del document[name]

    assert getattr(reading(document).command, attribute) == default
    assert list(repairs(document)) == [name]


def test_a_missing_channel_is_other(document: Document) -> None:
    del document["channel"]

    assert [channel.type for channel in reading(document).command.channels] == [ChannelType.OTHER]
    assert list(repairs(document)) == ["channel"]


def test_without_any_date_it_began_with_the_import(document: Document) -> None:
    bare = {"id": "1", "@type": "PartyInteraction", "status": "completed"}

    command = reading(bare).command

    assert {command.created_at, command.started_at, command.ended_at, command.updated_at, command.status_changed_at} == {NOW}


def test_a_channel_without_href_is_taken(document: Document) -> None:
    document["channel"] = [{"id": "5", "name": "High Street", "@type": "store"}]

    assert [channel.type for channel in reading(document).command.channels] == [ChannelType.STORE]
    assert list(repairs(document)) == ["channel[0].href"]


def test_a_channel_that_says_no_kind_is_known_by_its_name(document: Document) -> None:
    del document["channel"]
    document["relatedChannel"] = [
        {"role": "creation", "channel": {"id": "5", "name": "Harbour Store", "@type": "ChannelRef"}},
        {"role": "follow-up", "channel": {"id": "6", "name": "Somewhere", "@type": "ChannelRef"}},
    ]

    assert [channel.type for channel in reading(document).command.channels] == [ChannelType.STORE, ChannelType.OTHER]
    assert list(repairs(document)) == ["relatedChannel[0].channel.@type", "relatedChannel[1].channel.@type"]


def test_the_last_update_date_that_the_standard_lacks_is_used(document: Document) -> None:
    document["lastUpdateDate"] = "2024-04-01T00:00:00Z"
    document["interactionItem"][0]["lastUpdateDate"] = "2024-04-02T00:00:00Z"

    assert reading(document).command.updated_at == datetime(2024, 4, 1, tzinfo=UTC)
    assert list(repairs(document)) == ["lastUpdateDate", "interactionItem[0].lastUpdateDate"]
    assert extra(document)["interactionItem"][0]["lastUpdateDate"] == "2024-04-02T00:00:00Z"


def test_an_attachments_misspelled_url_is_kept(document: Document) -> None:
    document["attachment"] = [{"id": "1", "URL": "https://files.example/1"}]

    assert list(repairs(document)) == ["attachment[0].URL"]
    assert extra(document)["attachment"] == document["attachment"]


def test_a_misspelled_reference_is_a_reference(document: Document) -> None:
    document = v5(document)
    document["relatedParty"][1]["partyOrPartyRole"]["@type"] = "PArtyRef"

    assert repairs(document) == {"relatedParty[1].partyOrPartyRole.@type": 'read "PArtyRef" as PartyRef'}
    assert reading(document).command.parties[1].identifier == ExternalIdentifier("TMF632", "a1", "Individual")


def test_a_placeholder_stays_the_resolution_and_is_told(document: Document) -> None:
    document["interactionItem"][0]["resolution"] = "TODO"

    assert reading(document).command.items[0].resolution == "TODO"
    assert list(repairs(document)) == ["interactionItem[0].resolution"]


def test_the_one_user_becomes_the_customer_where_none_is_named(document: Document) -> None:
    document["relatedParty"][0]["role"] = "user"

    customer, agent = reading(document).command.parties

    assert customer.roles == (InvolvementRole.CUSTOMER, InvolvementRole.USER)
    assert agent.roles == (InvolvementRole.AGENT,)
    assert list(repairs(document)) == ["relatedParty"]


def test_nobody_is_made_the_customer_where_it_could_be_several(document: Document) -> None:
    document["relatedParty"] = [{"id": id, "@referredType": "Individual", "role": "user", "name": id} for id in ("u1", "u2")]

    assert [party.roles for party in reading(document).command.parties] == [(InvolvementRole.USER,)] * 2
    assert "relatedParty" in repairs(document)


def test_a_party_in_two_roles_takes_part_once(document: Document) -> None:
    document["relatedParty"] += [{**document["relatedParty"][0], "role": "user"}]

    customer, _ = reading(document).command.parties

    assert customer.roles == (InvolvementRole.CUSTOMER, InvolvementRole.USER)


def test_an_unknown_role_only_observes(document: Document) -> None:
    document["relatedParty"] += [{"id": "x", "@referredType": "Individual", "role": "godfather", "name": "X"}]

    assert reading(document).command.parties[2].roles == (InvolvementRole.OBSERVER,)
    assert repairs(document) == {"relatedParty[2].role": '"godfather" is not known; OBSERVER was taken'}


@pytest.mark.parametrize(
    ("reference", "type", "kind"),
    [
        ({"@referredType": "Organization"}, "Organization", PartyKind.ORGANIZATION),
        ({"@referredType": "organization"}, "Organization", PartyKind.ORGANIZATION),
        ({"@type": "Individual"}, "Individual", PartyKind.INDIVIDUAL),
        ({"@type": "PartyRoleRef", "@referredType": "Customer"}, "Customer", PartyKind.INDIVIDUAL),
        ({"href": "https://parties.example/organization/7"}, "Organization", PartyKind.ORGANIZATION),
        ({"href": "https://parties.example/7"}, "Individual", PartyKind.INDIVIDUAL),
        ({}, "Individual", PartyKind.INDIVIDUAL),
    ],
)
def test_a_partys_type_comes_from_what_says_it(document: Document, reference: Document, type: str, kind: PartyKind) -> None:
    document["relatedParty"][1] = {"id": "7", "role": "agent", "name": "Seven", **reference}

    party = reading(document).command.parties[1]

    assert (party.identifier.type, party.kind) == (type, kind)


def test_people_without_an_id_are_never_taken_for_one_another(document: Document) -> None:
    unknown = {"@referredType": "Individual", "role": "observer", "name": "John Smith"}
    documents = [document | {"id": id, "relatedParty": [unknown, unknown]} for id in ("1", "2")]

    identifiers = {party.identifier for one in documents for party in reading(one).command.parties}

    assert len(identifiers) == 4
    assert reading(documents[0]) == reading(documents[0])


def test_a_party_without_a_name_is_called_by_its_id(document: Document) -> None:
    del document["relatedParty"][0]["name"]

    assert reading(document).command.parties[0].name == "Individual c1"


def test_without_an_id_the_content_is_its_identifier(document: Document) -> None:
    del document["id"]
    other = document | {"reason": "something else"}

    assert reading(document).command.identifier == reading(dict(reversed(document.items()))).command.identifier
    assert reading(document).command.identifier != reading(other).command.identifier
    assert "id" in repairs(document)


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-03-05T10:00:00+02:00", datetime(2024, 3, 5, 8, tzinfo=UTC)),
        ("2024-03-05T10:00:00+0200", datetime(2024, 3, 5, 8, tzinfo=UTC)),
        ("2024-03-05T08:00:00.1239999Z", datetime(2024, 3, 5, 8, 0, 0, 123_000, tzinfo=UTC)),
    ],
)
def test_dates_become_utc_in_milliseconds(document: Document, written: str, moment: datetime) -> None:
    document["creationDate"] = written

    assert reading(document).command.created_at == moment
    assert repairs(document) == {}


@pytest.mark.parametrize("written", ["2024-03-05T08:00:00", "2024-03-05 08:00:00", "20240305T080000"])
def test_a_date_without_a_zone_is_read_as_utc(document: Document, written: str) -> None:
    document["creationDate"] = written

    assert reading(document).command.created_at == datetime(2024, 3, 5, 8, tzinfo=UTC)
    assert list(repairs(document)) == ["creationDate"]
    assert extra(document)["creationDate"] == written


@pytest.mark.parametrize(
    "written", ["yesterday", "", "0001-01-01T00:00:00+14:00", "2024-02-30T00:00:00Z", 1709625600, True, [], {"$gt": ""}]
)
def test_what_is_no_date_counts_as_missing_and_is_kept(document: Document, written: object) -> None:
    document["creationDate"] = written

    assert reading(document).command.created_at == datetime(2024, 3, 5, 8, 55, tzinfo=UTC)
    assert "creationDate" in repairs(document)
    assert not written or extra(document)["creationDate"] == written


def test_an_end_before_the_start_is_exchanged_with_it(document: Document) -> None:
    document["interactionDate"] = {"startDateTime": "2024-03-05T09:10:00Z", "endDateTime": "2024-03-05T08:55:00Z"}

    command = reading(document).command

    assert (command.started_at, command.ended_at) == (datetime(2024, 3, 5, 8, 55, tzinfo=UTC), datetime(2024, 3, 5, 9, 10, tzinfo=UTC))
    assert list(repairs(document)) == ["interactionDate"]


def test_a_date_in_the_future_becomes_now(document: Document) -> None:
    document["lastUpdateDate"] = document["statusChangeDate"] = "2099-01-01T00:00:00Z"

    command = reading(document).command

    assert command.updated_at == command.status_changed_at == NOW
    assert extra(document)["lastUpdateDate"] == "2099-01-01T00:00:00Z"


def test_an_update_before_the_creation_counts_from_the_creation(document: Document) -> None:
    document["lastUpdateDate"] = "2001-01-01T00:00:00Z"

    assert reading(document).command.updated_at == reading(document).command.created_at


# ---------------------------------------------------------------- nasty


def test_a_megabyte_of_text_is_cut_and_kept_whole(document: Document) -> None:
    document["description"] = document["reason"] = document["note"][0]["text"] = "ä" * 1_000_000

    command = reading(document).command

    assert (len(command.description or ""), len(command.reason or ""), len(command.notes[0].text)) == (LONG, SHORT, LONG)
    assert {"description", "reason", "note[0].text"} == repairs(document).keys()
    assert extra(document)["description"] == extra(document)["note"][0]["text"] == "ä" * 1_000_000


def test_nul_and_half_surrogates_are_replaced_wherever_they_are(document: Document) -> None:
    document["description"] = "before\x00after"
    document["relatedParty"][0]["name"] = "Nora\ud800"
    document["ex\udfff"] = {"deep": ["\x00"]}

    command = reading(document).command

    assert (command.description, command.parties[0].name) == ("before\ufffdafter", "Nora\ufffd")
    assert {"description", "relatedParty[0].name", "ex\ufffd.deep[0]"} <= repairs(document).keys()
    assert extra(document)["ex\ufffd"] == {"deep": ["\ufffd"]}
    assert all(str(repair).isprintable() for repair in reading(document).repairs)


def test_a_repair_is_one_line_that_no_terminal_obeys(document: Document) -> None:
    document["status"] = "\x1b[2Jgone\nfishing"
    document["\x1b[2J" * 1_000] = "\x00"

    assert all(str(repair).isprintable() and len(str(repair)) < 400 for repair in reading(document).repairs)


def test_a_whole_character_made_of_two_surrogates_is_left_alone() -> None:
    document = json.loads('{"id": "1", "@type": "PartyInteraction", "description": "\\ud83d\\ude00"}')

    assert reading(document).command.description == "😀"


@pytest.mark.parametrize("name", ["reason", "description", "status", "direction", "resolution"])
def test_a_number_where_a_text_belongs_is_read_as_one(document: Document, name: str) -> None:
    document[name] = 12

    assert name in repairs(document)


def test_an_id_may_be_a_number(document: Document) -> None:
    document["id"] = 12345678901234567890123
    document["relatedParty"][0]["id"] = 7

    command = reading(document).command

    assert (command.identifier.value, command.parties[0].identifier.value) == ("12345678901234567890123", "7")


def test_an_overlong_id_is_stood_for_by_its_digest(document: Document) -> None:
    document["id"] = "x" * 501
    other = document | {"id": "x" * 502}

    assert len(reading(document).command.identifier.value) <= SHORT
    assert reading(document).command.identifier != reading(other).command.identifier
    assert extra(document)["id"] == "x" * 501


@pytest.mark.parametrize("name", ["relatedParty", "channel", "interactionItem", "note", "attachment", "interactionDate"])
@pytest.mark.parametrize("value", [None, [], {}, [None], [[]], [1], "text", 3, [{}], {"$gt": ""}])
def test_nothing_is_where_it_should_be_and_yet_it_is_read(document: Document, name: str, value: object) -> None:
    document[name] = value

    command = reading(document).command

    orjson.dumps(command)
    assert command.started_at <= (command.ended_at or NOW)
    assert command.channels


def test_a_single_object_where_a_list_belongs_is_a_list_of_one(document: Document) -> None:
    document["note"] = document["note"][0]

    assert len(reading(document).command.notes) == 1
    assert extra(document)["note"] == [{"id": "n1"}]


def test_more_than_an_interaction_holds_is_kept_in_extra(document: Document) -> None:
    document["note"] = [{"text": f"note {number}", "date": "2024-03-05T08:57:00Z"} for number in range(1_200)]
    document["relatedParty"] += [{"id": f"o{n}", "@referredType": "Individual", "role": "observer", "name": f"O {n}"} for n in range(60)]

    command = reading(document).command

    assert (len(command.notes), len(command.parties)) == (1_000, 49)
    assert extra(document)["note"][1_000:] == document["note"][1_000:]
    assert extra(document)["relatedParty"][49:] == document["relatedParty"][49:]


def test_a_number_beyond_64_bits_survives(document: Document) -> None:
    document["meter"] = 10**30

    assert extra(document)["meter"] == 10**30


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "no JSON object"),
        ("text", "no JSON object"),
        (None, "no JSON object"),
        ({}, "no attribute of a PartyInteraction"),
        ({"id": "1", "colour": "red"}, "no attribute of a PartyInteraction"),
        ({"@type": "Customer", "status": "active"}, '"Customer"'),
    ],
)
def test_what_is_no_party_interaction_is_unreadable(value: object, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(value, now=NOW)


def test_a_subtype_of_party_interaction_is_one() -> None:
    found = reading({"id": "1", "@type": "ShopInteraction", "@baseType": "PartyInteraction"})

    assert json.loads(found.command.extra or "") == {"@type": "ShopInteraction", "@baseType": "PartyInteraction"}


def test_what_is_nested_too_deep_is_unreadable(document: Document) -> None:
    nest: object = "bottom"
    for _ in range(1_000):
        nest = [nest]

    with pytest.raises(Unreadable, match=f"deeper than {DEEPEST}"):
        read(document | {"nest": nest}, now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.datetimes().map(str),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "@type", "role", "x"]), inside, max_size=3)
    ),
    max_leaves=8,
)
NAMES = [
    *("id", "status", "direction", "reason", "description", "resolution", "creationDate", "statusChangeDate", "lastUpdateDate"),
    *("interactionDate", "relatedParty", "channel", "relatedChannel", "interactionItem", "note", "attachment", "@baseType"),
]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_it_holds_it_is_read_and_read_the_same_way_twice(document: Document) -> None:
    document = {"@type": "PartyInteraction", **document}

    found = reading(document)

    orjson.dumps(found.command)
    assert reading(document) == found
    assert found.command.created_at <= found.command.updated_at <= NOW
    assert found.command.started_at <= (found.command.ended_at or NOW)
    assert all(len(str(repair)) < 4_000 for repair in found.repairs)

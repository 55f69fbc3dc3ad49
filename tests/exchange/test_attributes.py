"""Nothing that TMF683 knows is lost: each attribute of v4 and v5, nested ones too, is read into the model or kept in extra."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from hub.exchange.tmf683 import read

NOW: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
DATE: Final = "a date"
Table = dict[str, Any]

# Names as the definitions of TMF683 v4.0.0 and v5.0.0 have them: a text, a DATE, another definition, or a list of it.
COMMON: Final[Table] = dict.fromkeys(("@baseType", "@schemaLocation", "@type"), "")
REFERENCE: Final[Table] = COMMON | dict.fromkeys(("id", "href", "name", "@referredType"), "")
PERIOD: Final[Table] = {"startDateTime": DATE, "endDateTime": DATE}
NOTE: Final[Table] = COMMON | {"id": "", "author": "", "date": DATE, "text": ""}
ATTACHMENT: Final[Table] = REFERENCE | {
    **dict.fromkeys(("attachmentType", "content", "description", "mimeType", "url"), ""),
    "size": {"amount": 1.5, "units": ""},
    "validFor": PERIOD,
}
RELATIONSHIP: Final[Table] = REFERENCE | {"relationshipType": ""}

CHANNEL_4: Final[Table] = REFERENCE | {"role": ""}
PARTY_4: Final[Table] = REFERENCE | {"role": ""}
ENTITY_4: Final[Table] = REFERENCE | {"role": ""}
ITEM_4: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "reason", "resolution"), ""),
    "creationDate": DATE,
    "attachment": [ATTACHMENT],
    "channel": [CHANNEL_4],
    "item": ENTITY_4,
    "itemDate": PERIOD,
    "note": [NOTE],
    "relatedParty": [PARTY_4],
}
INTERACTION_4: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "href", "description", "direction", "reason", "status"), ""),
    "creationDate": DATE,
    "statusChangeDate": DATE,
    "attachment": [ATTACHMENT],
    "channel": [CHANNEL_4],
    "interactionDate": PERIOD,
    "interactionItem": [ITEM_4],
    "interactionRelationship": [RELATIONSHIP],
    "note": [NOTE],
    "relatedParty": [PARTY_4],
}

CHARACTERISTIC: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "name", "valueType"), ""),
    "characteristicRelationship": [COMMON | {"id": "", "relationshipType": ""}],
}
MEDIUM: Final[Table] = COMMON | {"id": "", "preferred": True, "contactType": "", "validFor": PERIOD}
EXTERNAL: Final[Table] = COMMON | {"owner": "", "externalIdentifierType": "", "id": ""}
IDENTIFICATION: Final[Table] = COMMON | {
    **dict.fromkeys(("identificationId", "issuingAuthority", "identificationType"), ""),
    "issuingDate": DATE,
    "validFor": PERIOD,
    "attachment": ATTACHMENT,
}
PARTY: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "href"), ""),
    "externalReference": [EXTERNAL],
    "partyCharacteristic": [CHARACTERISTIC],
    "taxExemptionCertificate": [
        COMMON
        | {
            **dict.fromkeys(("id", "certificateNumber", "issuingJurisdiction", "reason"), ""),
            "validFor": PERIOD,
            "attachment": ATTACHMENT,
            "taxDefinition": [
                COMMON | dict.fromkeys(("id", "name", "jurisdictionName", "jurisdictionLevel", "taxType"), "") | {"validFor": PERIOD}
            ],
        }
    ],
    "creditRating": [
        COMMON
        | dict.fromkeys(("id", "href", "creditAgencyName", "creditAgencyType", "ratingReference"), "")
        | {"ratingScore": 7, "validFor": PERIOD}
    ],
    "relatedParty": [COMMON | {"role": "", "partyOrPartyRole": REFERENCE}],
    "contactMedium": [MEDIUM],
}
NAMED: Final = (
    *("title", "aristocraticTitle", "generation", "givenName", "preferredGivenName", "familyNamePrefix", "familyName", "legalName"),
    *("middleName", "formattedName"),
)
INDIVIDUAL: Final[Table] = PARTY | {
    **dict.fromkeys((*NAMED, "name", "gender", "placeOfBirth", "countryOfBirth", "nationality", "maritalStatus", "location", "status"), ""),
    "birthDate": DATE,
    "deathDate": DATE,
    "otherName": [dict.fromkeys((*NAMED, "fullName"), "") | {"validFor": PERIOD}],
    "individualIdentification": [IDENTIFICATION],
    "disability": [{"disabilityCode": "", "disabilityName": "", "validFor": PERIOD}],
    "languageAbility": [
        {
            **dict.fromkeys(("languageCode", "languageName"), ""),
            **dict.fromkeys(("writingProficiency", "readingProficiency", "speakingProficiency", "listeningProficiency"), ""),
            "isFavouriteLanguage": True,
            "validFor": PERIOD,
        }
    ],
    "skill": [dict.fromkeys(("skillCode", "skillName", "evaluatedLevel", "comment"), "") | {"validFor": PERIOD}],
}
ORGANIZATION: Final[Table] = PARTY | {
    **dict.fromkeys(("organizationType", "name", "nameType", "status", "tradingName"), ""),
    "isLegalEntity": True,
    "isHeadOffice": True,
    "existsDuring": PERIOD,
    "otherName": [COMMON | {"tradingName": "", "nameType": "", "name": "", "validFor": PERIOD}],
    "organizationIdentification": [IDENTIFICATION],
    "organizationChildRelationship": [COMMON | {"relationshipType": "", "organization": REFERENCE}],
    "organizationParentRelationship": COMMON | {"relationshipType": "", "organization": REFERENCE},
}
PARTY_ROLE: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "href", "name", "description", "role", "status", "statusReason"), ""),
    "engagedParty": REFERENCE,
    "partyRoleSpecification": REFERENCE,
    "characteristic": [CHARACTERISTIC],
    "account": [REFERENCE],
    "agreement": [REFERENCE],
    "contactMedium": [MEDIUM],
    "paymentMethod": [REFERENCE],
    "creditProfile": [
        COMMON
        | {"id": "", "href": "", "creditProfileDate": DATE, "creditRiskRating": 3, "creditScore": 9, "validFor": PERIOD}
    ],
    "relatedParty": [COMMON | {"role": "", "partyOrPartyRole": REFERENCE}],
    "validFor": PERIOD,
}  # fmt: skip
PARTY_ROLE_REFERENCE: Final[Table] = REFERENCE | {"partyId": "", "partyName": ""}
CHANNEL_5: Final[Table] = COMMON | {"role": "", "channel": REFERENCE}
ITEM_5: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "reason", "resolution", "interactionItemType"), ""),
    "creationDate": DATE,
    "lastUpdate": DATE,
    "itemDate": PERIOD,
    "item": COMMON | {"role": "", "entity": REFERENCE},
    "relatedChannel": [CHANNEL_5],
    "relatedParty": [COMMON | {"role": "", "partyOrPartyRole": PARTY_ROLE_REFERENCE}],
    "attachment": [ATTACHMENT],
    "note": [NOTE],
    "interactionItemRelationship": [COMMON | {"id": "", "relationshipType": ""}],
}
INTERACTION_5: Final[Table] = COMMON | {
    **dict.fromkeys(("id", "href", "description", "direction", "reason", "status"), ""),
    "creationDate": DATE,
    "statusChangeDate": DATE,
    "lastUpdate": DATE,
    "interactionDate": PERIOD,
    "relatedChannel": [CHANNEL_5],
    "relatedParty": [
        COMMON | {"role": "", "partyOrPartyRole": who} for who in (INDIVIDUAL, ORGANIZATION, PARTY_ROLE, REFERENCE, PARTY_ROLE_REFERENCE)
    ],
    "attachment": [ATTACHMENT],
    "note": [NOTE],
    "interactionItem": [ITEM_5],
    "interactionRelationship": [RELATIONSHIP],
    "externalIdentifier": [EXTERNAL],
}

VERSIONS: Final = {"v4": INTERACTION_4, "v5": INTERACTION_5}
Leaf = tuple[str, Any]


class Filled:
    """A document with a value of its own in every attribute, and where each stands."""

    def __init__(self, table: Table, **given: Any) -> None:
        self.leaves: list[Leaf] = []
        self._given = given
        self.document: dict[str, Any] = self._object(table, "")

    def _object(self, table: Mapping[str, Any], path: str) -> dict[str, Any]:
        return {name: self._value(what, f"{path}.{name}".lstrip(".")) for name, what in table.items()}

    def _value(self, what: Any, path: str) -> Any:
        if isinstance(what, Mapping):
            return self._object(what, path)
        if isinstance(what, list):
            return [self._value(one, f"{path}[{place}]") for place, one in enumerate(what)]
        value = self._leaf(what, path)
        self.leaves.append((path, value))
        return value

    def _leaf(self, what: Any, path: str) -> Any:
        if path in self._given.get("values", {}):
            return self._given["values"][path]
        if what == DATE:
            moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.leaves))
            return moment.isoformat().replace("+00:00", "Z")
        return what if what else f"{path} #{len(self.leaves)}"


def texts(value: Any) -> Iterator[Any]:
    """Every value in a document, dates as UTC."""
    if isinstance(value, dict):
        for inside in value.values():
            yield from texts(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from texts(inside)
    else:
        yield value.replace("+00:00", "Z") if isinstance(value, str) else value


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "spelled",
    [
        {"@type": "PartyInteraction", "status": "completed", "direction": "inbound"},
        {"@type": "PartyInteraction", "status": "inProgress", "direction": "outbound"},
        {"@type": "ShopInteraction", "status": "odd", "direction": "odd"},
    ],
    ids=["completed", "open", "odd"],
)
def test_every_attribute_is_read_or_kept(version: str, spelled: dict[str, str]) -> None:
    filled = Filled(VERSIONS[version], values=spelled)

    command = orjson.loads(orjson.dumps(read(filled.document, now=NOW).command))
    extra = json.loads(command.pop("extra"))

    found = {*texts(command), *texts(extra)}
    translated = {"completed", "inProgress", "inbound", "outbound", "PartyInteraction"}  # to COMPLETED and so on
    lost = [path for path, value in filled.leaves if value not in found and value not in translated]
    assert lost == []


@pytest.mark.parametrize("version", VERSIONS)
def test_without_what_it_would_rather_read_an_attribute_is_not_lost_either(version: str) -> None:
    """Each attribute left out in turn, so that whatever steps in for it is seen to be kept as well."""
    whole = Filled(VERSIONS[version], values={"@type": "PartyInteraction", "status": "completed", "direction": "inbound"})
    for name in (name for name in whole.document if name not in COMMON):
        document = {key: value for key, value in whole.document.items() if key != name}

        command = orjson.loads(orjson.dumps(read(document, now=NOW).command))

        found = {*texts({**command, "extra": json.loads(command["extra"])}), "completed", "inbound", "PartyInteraction"}
        lost = [path for path, value in whole.leaves if value not in found and path.split(".")[0].split("[")[0] != name]
        assert lost == [], f"without {name}"


def test_a_party_that_is_named_twice_keeps_its_other_name() -> None:
    parties = [{"id": "7", "@referredType": "Individual", "role": "customer", "name": name} for name in ("Nora Field", "N. Field")]

    found = read({"id": "1", "relatedParty": parties}, now=NOW)

    assert [party.name for party in found.command.parties] == ["Nora Field"]
    assert json.loads(found.command.extra or "")["relatedParty"][1]["name"] == "N. Field"

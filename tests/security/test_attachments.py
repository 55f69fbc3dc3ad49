"""The two doors without a token: each role at the address of a public and of an internal file, in and out."""

import asyncio
from typing import Final

import pytest

from hub.access.gates import FIELDS
from hub.access.mandates import ACTS, Act
from hub.access.mandates import ROOTS as MANDATES
from hub.access.viewers import SCOPES
from hub.domain.terms import Role
from hub.web.hub import now
from tests.api import Api
from tests.security.met import check_refusal
from tests.security.world import Who

DATA: Final = b"%PDF-1.7\n"
KINDS: Final = {"PUBLIC": Act.ADD_ATTACHMENT, "INTERNAL": Act.ADD_INTERNAL_ATTACHMENT}
FIELD: Final = {"PUBLIC": "attachments", "INTERNAL": "internalAttachments"}


async def opened(api: Api) -> str:
    """An interaction in which everybody of the cast takes part."""
    parties = [{"role": "PARTNER", "partyId": api.partner}]
    return str((await api.as_agent.create(customerId=api.customer, parties=parties))["id"])


async def asked(api: Api, who: Who, id: str, visibility: str) -> dict[str, object]:
    input = {"id": id, "name": "a.pdf", "mimeType": "application/pdf", "size": len(DATA), "visibility": visibility}
    fields = "upload { url } errors { code requiresRoles requiresScopes }"
    return dict(await api.usually(who.role, list(who.scopes)).payload("addAttachment", fields, **input))


async def brought(api: Api, url: object, data: bytes = DATA) -> int:
    return (await api.client.put(str(url), content=data, headers={"content-type": "application/pdf"})).status_code


@pytest.mark.parametrize("visibility", KINDS)
@pytest.mark.parametrize("role", Role)
async def test_an_upload_is_for_those_whose_act_it_is(shared_api: Api, role: Role, visibility: str) -> None:
    who, right = Who(role), ACTS[KINDS[visibility]]
    id = await opened(shared_api)

    payload = await asked(shared_api, who, id, visibility)

    if who.may(right):
        assert await brought(shared_api, payload["upload"]["url"]) == 201  # type: ignore[index]
    else:
        assert payload["upload"] is None
        check_refusal(payload["errors"][0], who, right)  # type: ignore[index]


@pytest.mark.parametrize("role", Role)
async def test_a_download_is_for_those_who_read_the_field(shared_api: Api, role: Role) -> None:
    id, who = await opened(shared_api), Who(role)
    for visibility in KINDS:
        upload = (await asked(shared_api, Who(Role.AGENT), id, visibility))["upload"]
        assert await brought(shared_api, upload["url"]) == 201  # type: ignore[index]
    text = "query($id: ID!) { interaction(id: $id) { attachments { downloadUrl } internalAttachments { downloadUrl } } }"

    seen = (await shared_api.usually(role).ask(text, id=id)).body["data"]["interaction"]

    assert (seen is not None) == who.may(MANDATES["Query.interaction"])
    if seen is not None:
        assert (seen["internalAttachments"] is not None) == who.may(FIELDS["Interaction.internalAttachments"])
        for file in [*seen["attachments"], *(seen["internalAttachments"] or [])]:
            assert (await shared_api.client.get(file["downloadUrl"])).content == DATA


@pytest.mark.parametrize("role", Role)
async def test_an_address_opens_no_more_than_its_viewer_reads(shared_api: Api, role: Role) -> None:
    """Made with the hub's own key, as if a field had given it to whoever does not read it."""
    id, who = await opened(shared_api), Who(role)
    for visibility in KINDS:
        upload = (await asked(shared_api, Who(Role.AGENT), id, visibility))["upload"]
        await brought(shared_api, upload["url"])  # type: ignore[index]
    stored = await shared_api.hub.mongo["interactions"].find_one({"_id": id}) or {}
    viewer = await shared_api.hub.viewer(shared_api.usually(role).token)
    addresses = shared_api.hub.attaching.addresses

    for visibility, field in FIELD.items():
        sealed, _ = addresses.downloads.made(viewer, {"n": id, "d": stored[field][0]["id"]}, now())
        answer = await shared_api.client.get(addresses.base + sealed)

        reads = who.may(MANDATES["Query.interaction"]) and (visibility == "PUBLIC" or who.may(FIELDS["Interaction.internalAttachments"]))
        assert answer.status_code == (200 if reads else 403)
        assert (DATA in answer.content) == reads


@pytest.mark.parametrize("scope", ["interaction:read", "party:read", "event:subscribe"])
async def test_an_upload_needs_the_scope_to_write(shared_api: Api, scope: str) -> None:
    who = Who(Role.AGENT, (scope,))

    payload = await asked(shared_api, who, await opened(shared_api), "PUBLIC")

    check_refusal(payload["errors"][0], who, ACTS[Act.ADD_ATTACHMENT])  # type: ignore[index]


async def test_with_the_token_its_addresses_are_taken_back(shared_api: Api) -> None:
    id = await opened(shared_api)
    upload = (await asked(shared_api, Who(Role.AGENT), id, "PUBLIC"))["upload"]
    await brought(shared_api, upload["url"])  # type: ignore[index]
    issued = await shared_api.usually(Role.PARTNER, list(SCOPES)).payload(
        "issueToken", "token record { id }", roles=["PARTNER"], scopes=["interaction:read", "token:issue"]
    )
    bearer = type(shared_api.as_partner)(shared_api.client, shared_api.address, issued["token"], shared_api.partner)
    url = (await bearer.read(id, "attachments { downloadUrl }"))["attachments"][0]["downloadUrl"]
    before = (await shared_api.client.get(url)).status_code

    await shared_api.as_role(Role.ADMIN).payload("revokeToken", "errors { code }", id=issued["record"]["id"])

    assert before == 200
    async with asyncio.timeout(10):
        while (await shared_api.client.get(url)).status_code != 403:  # noqa: ASYNC110 - the feed tells it
            await asyncio.sleep(0.01)

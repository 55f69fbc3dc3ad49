"""Attachments: a reference is there at once, an upload when its bytes are, and an address opens one file for a while."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import gridfs
import httpx
import pytest
from pymongo import MongoClient

from hub.domain.media import USUAL
from hub.settings import ATTACHMENT_TYPES
from hub.web.hub import now
from tests.api import ERRORS, Api, Caller

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
ATTACHMENT: Final = "id name mimeType size visibility by { id } byRole at url downloadUrl"
FIELDS: Final = f"attachments {{ {ATTACHMENT} }} internalAttachments {{ {ATTACHMENT} }}"
PAYLOAD: Final = f"interaction {{ {FIELDS} }} upload {{ attachmentId url expiresAt }} cursor replayed {ERRORS}"
URL: Final = "https://files.example.com/bill.pdf"


async def add(caller: Caller, id: str, **input: Any) -> Any:
    """The payload of addAttachment."""
    return await caller.payload("addAttachment", PAYLOAD, **({"id": id, "name": "router.png"} | input))


async def asked(caller: Caller, id: str, data: bytes = PNG, **input: Any) -> Any:
    """Where to upload these bytes."""
    payload = await add(caller, id, **({"mimeType": "image/png", "size": len(data)} | input))
    assert payload["errors"] == []
    return payload["upload"]


async def put(api: Api, url: str, data: Any = PNG, media: str = "image/png", **headers: str) -> httpx.Response:
    return await api.client.put(url, content=data, headers={"content-type": media} | headers)


def code(response: httpx.Response) -> tuple[int, str]:
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


async def opened(api: Api) -> str:
    """An interaction of a customer."""
    return str((await api.as_agent.payload("createInteraction", "interaction { id }", direction="INBOUND", channel="PHONE",
                                           customerId=api.customer))["interaction"]["id"])  # fmt: skip


@pytest.fixture(scope="module")
async def id(shared_api: Api) -> str:
    return await opened(shared_api)


async def files(api: Api) -> int:
    """How many files the hub keeps, whole or not."""
    mongo = api.hub.mongo
    return len({*await mongo["attachments.chunks"].distinct("files_id"), *await mongo["attachments.files"].distinct("_id")})


async def test_a_photo_is_asked_for_brought_and_fetched(shared_api: Api, id: str) -> None:
    customer = shared_api.as_customer
    upload = await asked(customer, id)
    before = await customer.read(id, FIELDS)

    brought = await put(shared_api, upload["url"])

    assert before["attachments"] == []
    assert brought.status_code == 201
    assert (brought.json()["attachment"]["id"], brought.json()["replayed"]) == (upload["attachmentId"], False)
    (seen,) = (await customer.read(id, FIELDS))["attachments"]
    assert {name: seen[name] for name in ("id", "name", "mimeType", "size", "visibility", "by", "byRole", "url")} == {
        "id": upload["attachmentId"],
        "name": "router.png",
        "mimeType": "image/png",
        "size": len(PNG),
        "visibility": "PUBLIC",
        "by": {"id": shared_api.customer},
        "byRole": "CUSTOMER",
        "url": None,
    }
    fetched = await shared_api.client.get(seen["downloadUrl"])
    assert (fetched.status_code, fetched.content) == (200, PNG)
    assert fetched.headers["content-type"] == "image/png"
    assert fetched.headers["content-length"] == str(len(PNG))
    assert fetched.headers["content-disposition"] == "attachment; filename=\"router.png\"; filename*=utf-8''router.png"
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in fetched.headers["content-security-policy"]
    assert fetched.headers["cache-control"] == "private, no-store"
    looked = await shared_api.client.head(seen["downloadUrl"])
    assert (looked.status_code, looked.content, looked.headers["content-length"]) == (200, b"", str(len(PNG)))


async def test_what_was_added_is_one_event_and_names_the_file(shared_api: Api) -> None:
    id = await opened(shared_api)
    upload = await asked(shared_api.as_customer, id)
    after = await shared_api.as_agent.cursor()
    event = f"type sequence actorRole attachment {{ {ATTACHMENT} }} interaction {{ revision }}"
    told_of = f"interactionProgress(interactionId: $id, after: $after) {{ kind event {{ {event} }} }}"
    text = f"subscription($id: ID!, $after: Cursor) {{ {told_of} }}"

    async with shared_api.as_customer.stream(text, id=id, after=after) as stream:
        assert (await stream.frame())["kind"] == "CAUGHT_UP"
        await put(shared_api, upload["url"])
        told = (await stream.frame())["event"]

    assert (told["type"], told["sequence"], told["actorRole"], told["interaction"]) == ("ATTACHMENT_ADDED", 2, "CUSTOMER", {"revision": 2})
    assert (told["attachment"]["id"], told["attachment"]["name"]) == (upload["attachmentId"], "router.png")
    assert (await shared_api.client.get(told["attachment"]["downloadUrl"])).content == PNG
    assert [entry["type"] for entry in await shared_api.as_customer.timeline(id)] == ["CREATED", "ATTACHMENT_ADDED"]


async def test_a_reference_is_there_at_once(shared_api: Api) -> None:
    id = await opened(shared_api)

    payload = await add(shared_api.as_customer, id, name="bill.pdf", url=URL, mimeType="Application/PDF", idempotencyKey=f"k-{id}")
    again = await add(shared_api.as_customer, id, name="bill.pdf", url=URL, mimeType="Application/PDF", idempotencyKey=f"k-{id}")

    (seen,) = payload["interaction"]["attachments"]
    assert (seen["name"], seen["url"], seen["mimeType"], seen["size"], seen["downloadUrl"]) == (
        "bill.pdf",
        URL,
        "application/pdf",
        None,
        None,
    )
    assert (payload["upload"], payload["replayed"], again["replayed"]) == (None, False, True)
    assert again["interaction"]["attachments"] == [seen]


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"url": "http://files.example.com/1"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https:///1"}, "url"),
        ({"url": "https://user:secret@files.example.com/1"}, "url"),
        ({"url": "https://files.example.com:x/1"}, "url"),
        ({"url": "https://files.example.com/a b"}, "url"),
        ({"url": "https://files.example.com/\u202ex"}, "url"),
        ({"url": "https://files.example.com/" + "x" * 2_000}, "url"),
        ({"url": URL, "size": 0}, "size"),
        ({"url": URL, "mimeType": "pdf"}, "mimeType"),
        ({"url": URL, "name": "a\nb"}, "name"),
        ({"url": URL, "name": "photo\u202egnp.exe"}, "name"),
        ({"url": URL, "name": "x" * 256}, "name"),
        ({}, "mimeType"),
        ({"mimeType": "image/png"}, "size"),
        ({"size": 1}, "mimeType"),
        ({"mimeType": "image/svg+xml", "size": 1}, "mimeType"),
        ({"mimeType": "text/html", "size": 1}, "mimeType"),
        ({"mimeType": "image/png", "size": 0}, "size"),
        ({"mimeType": "image/png", "size": 10 * 1024 * 1024 + 1}, "size"),
    ],
)
async def test_what_is_no_good_is_refused_by_its_name(shared_api: Api, id: str, input: dict[str, Any], path: str) -> None:
    payload = await add(shared_api.as_customer, id, **input)

    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["input", path])
    assert (payload["interaction"], payload["upload"]) == (None, None)


HEIC: Final = b"\x00\x00\x00\x18ftypheic" + bytes(20)
KINDS: Final = {
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(20),
    "image/gif": b"GIF89a" + bytes(20),
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(20),
    "image/heic": HEIC,
    "application/pdf": b"%PDF-1.7\n" + bytes(20),
    "text/plain": "Grüße\r\n\tvon hier".encode(),
}


@pytest.mark.parametrize("media", KINDS)
async def test_bytes_are_of_the_kind_that_they_were_announced_to_be(shared_api: Api, media: str) -> None:
    id, before = await opened(shared_api), await files(shared_api)
    good, bad = KINDS[media], b"MZ\x00\x00" + bytes(22)
    wrong = await asked(shared_api.as_customer, id, bad, mimeType=media)
    right = await asked(shared_api.as_customer, id, good, mimeType=media)

    refused, taken = await put(shared_api, wrong["url"], bad, media), await put(shared_api, right["url"], good, media)

    assert code(refused) == (400, "BAD_USER_INPUT")
    assert taken.status_code == 201
    assert await files(shared_api) == before + 1


async def streamed(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_not_as_it_was_announced_leaves_nothing(shared_api: Api) -> None:
    id, before = await opened(shared_api), await files(shared_api)
    url = (await asked(shared_api.as_customer, id))["url"]

    answers = [
        await put(shared_api, url, PNG + b"x"),
        await put(shared_api, url, PNG[:-1]),
        await put(shared_api, url, streamed(PNG, b"x")),
        await put(shared_api, url, streamed(PNG[:100], PNG[100:-1])),
        await put(shared_api, url, b""),
        await put(shared_api, url, PNG, "image/jpeg"),
        await put(shared_api, url, PNG, ""),
        await put(shared_api, url, PNG, **{"content-encoding": "gzip"}),
    ]

    assert [code(answer) for answer in answers] == [(400, "BAD_USER_INPUT")] * 5 + [(415, "BAD_USER_INPUT")] * 3
    assert await files(shared_api) == before
    assert await shared_api.hub.mongo["uploads"].count_documents({"interaction": id}) == 0
    assert (await shared_api.as_agent.read(id, FIELDS))["attachments"] == []
    assert (await put(shared_api, url)).status_code == 201, "the address is good for another try"


async def test_the_same_again_is_a_replay_and_something_else_a_conflict(shared_api: Api) -> None:
    id, before = await opened(shared_api), await files(shared_api)
    url = (await asked(shared_api.as_customer, id))["url"]

    together = await asyncio.gather(*(put(shared_api, url) for _ in range(4)))
    later, other = await put(shared_api, url), await put(shared_api, url, PNG[:-1] + b"x")

    assert sorted(answer.status_code for answer in together) == [200, 200, 200, 201]
    assert (later.status_code, later.json()["replayed"]) == (200, True)
    assert code(other) == (409, "CONFLICT")
    assert [entry["type"] for entry in await shared_api.as_agent.timeline(id)] == ["CREATED", "ATTACHMENT_ADDED"]
    assert await files(shared_api) == before + 1


async def test_an_upload_under_a_key_is_the_same_attachment_however_often_it_is_asked_for(shared_api: Api) -> None:
    id = await opened(shared_api)
    key = f"key-{id}"
    one, two = [await asked(shared_api.as_customer, id, idempotencyKey=key) for _ in range(2)]
    first, second = await put(shared_api, one["url"]), await put(shared_api, two["url"])

    again = await add(shared_api.as_customer, id, mimeType="image/png", size=len(PNG), idempotencyKey=key)
    other = await add(shared_api.as_customer, id, mimeType="image/png", size=1, idempotencyKey=key)
    apart = await asked(shared_api.as_agent, id, idempotencyKey=key)

    assert one["attachmentId"] == two["attachmentId"] != apart["attachmentId"]
    assert (first.status_code, second.status_code) == (201, 200)
    assert (again["replayed"], again["upload"], again["errors"]) == (True, None, [])
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert len((await shared_api.as_customer.read(id, FIELDS))["attachments"]) == 1


async def test_an_address_that_is_none_or_over_or_of_another_door_opens_nothing(shared_api: Api) -> None:
    id = await opened(shared_api)
    upload = (await asked(shared_api.as_customer, id))["url"]
    await put(shared_api, upload)
    download = (await shared_api.as_customer.read(id, FIELDS))["attachments"][0]["downloadUrl"]
    addresses, long_ago = shared_api.hub.attaching.addresses, now() - timedelta(minutes=20)
    viewer = await shared_api.hub.viewer(shared_api.as_customer.token)
    about = {"n": id, "d": addresses.downloads.opened(download.rpartition("/")[2], now()).about["d"]}
    over = addresses.base + addresses.downloads.made(viewer, about, long_ago)[0]
    told = addresses.uploads.opened(upload.rpartition("/")[2], now()).about
    late = addresses.base + addresses.uploads.made(viewer, told, long_ago)[0]

    forged = download[:-2] + ("AA" if download[-2:] != "AA" else "BB")
    fetched = [await shared_api.client.get(url) for url in (over, forged, upload, "/attachments/x", "/attachments/" + "A" * 7_000)]
    brought = [await put(shared_api, url) for url in (late, download, "/attachments/x")]

    assert [code(answer) for answer in (*fetched, *brought)] == [(403, "FORBIDDEN")] * 8
    assert len({answer.text.replace(answer.headers["x-request-id"], "") for answer in (*fetched, *brought)}) == 1
    assert (await shared_api.client.post(download)).status_code == 405


async def test_who_lost_the_right_has_an_address_that_opens_nothing(shared_api: Api) -> None:
    id = await opened(shared_api)
    shared = {"involvement": {"role": "USER", "partyId": shared_api.other_customer}}
    await shared_api.as_agent.done("addParty", id=id, **shared)
    await put(shared_api, (await asked(shared_api.as_customer, id))["url"])
    download = (await shared_api.as_other_customer.read(id, FIELDS))["attachments"][0]["downloadUrl"]
    upload = (await asked(shared_api.as_other_customer, id))["url"]
    before = (await shared_api.client.get(download)).status_code

    await shared_api.as_agent.done("removeParty", id=id, partyId=shared_api.other_customer, role="USER")

    assert before == 200
    assert code(await shared_api.client.get(download)) == (403, "FORBIDDEN")
    assert code(await put(shared_api, upload)) == (403, "FORBIDDEN")


async def test_who_takes_part_only_to_look_on_adds_nothing(shared_api: Api) -> None:
    id = await opened(shared_api)
    shared = {"role": "USER", "partyId": shared_api.other_customer}
    await shared_api.as_agent.done("addParty", id=id, involvement=shared)
    upload, before = (await asked(shared_api.as_other_customer, id))["url"], await files(shared_api)
    await shared_api.as_agent.done("addParty", id=id, involvement=shared | {"role": "OBSERVER"})
    await shared_api.as_agent.done("removeParty", id=id, partyId=shared_api.other_customer, role="USER")

    refused = await put(shared_api, upload)

    assert code(refused) == (403, "FORBIDDEN"), "it sees the interaction still, and is judged when the bytes are here"
    assert await files(shared_api) == before


async def test_internal_ones_are_for_staff(shared_api: Api) -> None:
    id = await opened(shared_api)
    upload = await asked(shared_api.as_agent, id, visibility="INTERNAL")
    denied = await add(shared_api.as_customer, id, url=URL, visibility="INTERNAL")

    await put(shared_api, upload["url"])

    by_agent, by_customer = (
        await shared_api.as_agent.read(id, f"revision {FIELDS}"),
        await shared_api.as_customer.read(id, f"revision {FIELDS} redactions {{ field }}"),
    )
    assert [error["code"] for error in denied["errors"]] == ["FORBIDDEN"]
    assert [one["id"] for one in by_agent["internalAttachments"]] == [upload["attachmentId"]]
    assert (by_customer["attachments"], by_customer["internalAttachments"]) == ([], None)
    assert {"field": "internalAttachments"} in by_customer["redactions"]
    assert (by_agent["revision"], by_customer["revision"]) == (2, 1)
    assert [entry["type"] for entry in await shared_api.as_customer.timeline(id)] == ["CREATED"]
    assert (await shared_api.client.get(by_agent["internalAttachments"][0]["downloadUrl"])).content == PNG


async def test_an_interaction_has_at_most_a_hundred(shared_api: Api) -> None:
    id = await opened(shared_api)
    last = (await asked(shared_api.as_customer, id))["url"]
    await asyncio.gather(*(add(shared_api.as_agent, id, url=URL, visibility=("PUBLIC", "INTERNAL")[n % 2]) for n in range(100)))

    refused = await add(shared_api.as_customer, id, url=URL)

    assert [(error["code"], "at most 100" in error["message"]) for error in refused["errors"]] == [("BAD_USER_INPUT", True)]
    assert code(await put(shared_api, last)) == (400, "BAD_USER_INPUT")
    assert len((await shared_api.as_agent.read(id, FIELDS))["internalAttachments"]) == 50


async def test_a_large_file_lies_in_chunks_that_any_tool_for_gridfs_reads(shared_api: Api, mongo_uri: str) -> None:
    id, data = await opened(shared_api), PNG * 1_000
    upload = await asked(shared_api.as_customer, id, data)

    brought = await put(shared_api, upload["url"], streamed(*(data[at : at + 7_777] for at in range(0, len(data), 7_777))))

    assert brought.status_code == 201
    stored = (await shared_api.hub.mongo["interactions"].find_one({"_id": id}) or {})["attachments"][0]
    assert stored["digest"] == hashlib.sha256(data).hexdigest()
    assert (await shared_api.client.get((await shared_api.as_customer.read(id, FIELDS))["attachments"][0]["downloadUrl"])).content == data
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        bucket = gridfs.GridFSBucket(client[shared_api.hub.settings.mongo_database], "attachments")
        found = next(iter(bucket.find({"metadata.interaction": id})))
        assert (str(found._id), found.read()) == (stored["file"], data)
    assert await shared_api.hub.mongo["uploads"].count_documents({"interaction": id}) == 0


async def test_an_upload_that_is_cut_off_leaves_no_attachment_and_what_is_left_is_swept(shared_api: Api) -> None:
    id, hub, before = await opened(shared_api), shared_api.hub, await files(shared_api)
    half_way = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield PNG * 500
        half_way.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(hub.files.keep(stalled(), len(PNG) * 900, "image/png", id, now()))
    await half_way.wait()
    task.cancel()  # as by a process that ends
    await asyncio.gather(task, return_exceptions=True)
    kept = await put(shared_api, (await asked(shared_api.as_customer, id))["url"])
    whole = await hub.mongo["attachments.files"].find_one({"metadata.interaction": id}) or {}
    lost = {"_id": whole["_id"], "interaction": id, "at": now()}  # as where the answer to a commit was lost
    await hub.mongo["uploads"].insert_one(lost)

    early = await hub.files.sweep(now() - timedelta(hours=1))
    left = await files(shared_api)
    swept = await hub.files.sweep(now() + timedelta(seconds=1))

    assert kept.status_code == 201
    assert (early, left, swept) == (0, before + 2, 1)
    assert await files(shared_api) == before + 1
    assert await hub.mongo["uploads"].count_documents({}) == 0
    assert len((await shared_api.as_customer.read(id, FIELDS))["attachments"]) == 1


async def test_a_client_that_goes_half_way_leaves_nothing(shared_api: Api) -> None:
    id, before = await opened(shared_api), await files(shared_api)
    url, data = (await asked(shared_api.as_customer, id, PNG * 500))["url"], PNG * 500
    host, _, port = shared_api.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    head = f"PUT {url} HTTP/1.1\r\nhost: {shared_api.address}\r\ncontent-type: image/png\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data[:300_000])
    await writer.drain()
    async with asyncio.timeout(10):
        while await files(shared_api) == before:  # noqa: ASYNC110 - half of it is there
            await asyncio.sleep(0.01)
        writer.close()
        while await files(shared_api) != before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    with contextlib.suppress(ConnectionError):
        await reader.read()
    assert (await shared_api.as_customer.read(id, FIELDS))["attachments"] == []
    assert (await put(shared_api, url, data)).status_code == 201


async def test_whoever_fetches_a_file_is_recorded(shared_api: Api) -> None:
    id = await opened(shared_api)
    await put(shared_api, (await asked(shared_api.as_customer, id))["url"])
    download = (await shared_api.as_agent.read(id, FIELDS))["attachments"][0]["downloadUrl"]

    await shared_api.client.get(download)

    async with asyncio.timeout(10):
        while True:
            chunks = await shared_api.hub.mongo["audit"].find({"parties": shared_api.customer}).to_list(None)
            records = [record for chunk in chunks for record in chunk["records"] if id in record["interactions"]]
            told = {(record["operation"], record["did"], *record["roles"]) for record in records}
            if {("downloadUrl", "READ", "AGENT"), ("addAttachment", "CHANGED", "CUSTOMER")} <= told:
                break
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "plain"), [('Grüße "1".png', "Gr__e _1_.png"), ("../../etc/passwd", ".._.._etc_passwd"), ("отчёт; x=1", "_____; x=1")]
)
async def test_a_name_is_saved_as_it_is_and_breaks_no_header(shared_api: Api, name: str, plain: str) -> None:
    id = await opened(shared_api)
    await put(shared_api, (await asked(shared_api.as_customer, id, name=name))["url"])
    download = (await shared_api.as_customer.read(id, FIELDS))["attachments"][0]["downloadUrl"]

    said = (await shared_api.client.get(download)).headers["content-disposition"]

    assert said == f"attachment; filename=\"{plain}\"; filename*=utf-8''{quote(name, safe='')}"


def test_the_kinds_that_are_taken_are_those_whose_beginning_is_known() -> None:
    assert set(ATTACHMENT_TYPES) == set(USUAL)

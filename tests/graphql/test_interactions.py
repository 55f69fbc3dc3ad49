"""One interaction from its first call to its close, through HTTP."""

from tests.api import Api


async def test_a_customer_opens_an_agent_works_and_closes(api: Api) -> None:
    opened = await api.as_customer.create(channel="MOBILE_APP", reason="No signal", kind="COMPLAINT")
    assert opened["status"] == "OPEN"
    assert opened["revision"] == 1
    assert opened["customer"] == {"id": api.customer, "name": "Ada Hopper"}
    assert opened["progress"]["nextUpdateDueAt"] > opened["createdAt"]

    worked = await api.as_agent.act("reportProgress", id=opened["id"], message="We look into it", percent=40)
    assert worked["errors"] == []
    assert worked["interaction"]["progress"]["percent"] == 40
    assert worked["interaction"]["status"] == "OPEN"

    closed = await api.as_agent.act("closeInteraction", id=opened["id"], resolution="The mast is mended")
    assert closed["interaction"]["status"] == "COMPLETED"

    seen = await api.as_customer.interaction(opened["id"])
    assert (seen["status"], seen["resolution"], seen["revision"]) == ("COMPLETED", "The mast is mended", 3)
    assert seen["endedAt"] is not None


async def test_a_customer_sees_progress_but_never_internal_notes(api: Api) -> None:
    interaction = await api.as_agent.create(customerId=api.customer)
    await api.as_agent.act("addNote", id=interaction["id"], text="We will call back")
    await api.as_agent.act("addNote", id=interaction["id"], text="angry", visibility="INTERNAL")

    seen = await api.as_customer.interaction(interaction["id"])

    assert [note["text"] for note in seen["notes"]] == ["We will call back"]
    assert seen["internalNotes"] is None
    assert {redaction["field"] for redaction in seen["redactions"]} == {"internalNotes", "statusReason"}
    assert seen["revision"] == 2
    assert (await api.as_agent.interaction(interaction["id"]))["revision"] == 3

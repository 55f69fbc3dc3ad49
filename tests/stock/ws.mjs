// graphql-ws alone: all three kinds of operation on one socket.
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { act, address, token } from "./hub.mjs";

const client = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket, connectionParams: { token } });
const first = async (query, variables, wanted = () => true) => {
  for await (const answer of client.iterate({ query, variables })) if (wanted(answer)) return answer;
};

const { id, cursor } = await act();
assert.deepEqual((await first("{ viewer { roles } }")).data, { viewer: { roles: ["AGENT"] } });
const noted = await first("mutation($input: AddNoteInput!) { addNote(input: $input) { errors { code } } }", { input: { id, text: "hello" } });
assert.deepEqual(noted.data, { addNote: { errors: [] } });
const text = "subscription($id: ID!, $after: Cursor) { interactionProgress(interactionId: $id, after: $after) { kind event { type } } }";
const frame = await first(text, { id, after: cursor }, ({ data }) => data.interactionProgress.kind === "EVENT");
assert.equal(frame.data.interactionProgress.event.type, "NOTE_ADDED");
await assert.rejects(first("{ nothing }"), ([error]) => error.extensions.code === "BAD_USER_INPUT");
await client.dispose();

// graphql-sse in its distinct connections mode: a query, a mutation and a subscription, each an event stream.
import assert from "node:assert/strict";
import { createClient } from "graphql-sse";
import { act, address, headers } from "./hub.mjs";

const client = createClient({ url: `http://${address}/graphql`, headers, retryAttempts: 0 });
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
client.dispose();

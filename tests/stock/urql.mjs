// urql: a query and a mutation by its fetchExchange, a subscription by its subscriptionExchange over graphql-ws.
import assert from "node:assert/strict";
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { act, address, headers, token } from "./hub.mjs";

const socket = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket, connectionParams: { token } });
const forwardSubscription = ({ query, variables }) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
});
const client = new Client({
  url: `http://${address}/graphql`,
  exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })],
  fetchOptions: { headers },
  preferGetMethod: false,
});

const { id, cursor } = await act();
const query = gql`query Shown($id: ID!) { interaction(id: $id) { id status notes { text } } }`;
const shown = await client.query(query, { id }).toPromise();
assert.equal(shown.error, undefined);
assert.equal(shown.data.interaction.status, "OPEN");

const mutation = gql`mutation Note($input: AddNoteInput!) { addNote(input: $input) { interaction { id notes { text } } errors { code } } }`;
const noted = await client.mutation(mutation, { input: { id, text: "we call back" } }).toPromise();
assert.deepEqual(noted.data.addNote.errors, []);
assert.equal(noted.data.addNote.interaction.notes[0].text, "we call back");

const subscription = gql`subscription Followed($id: ID!, $after: Cursor) {
  interactionProgress(interactionId: $id, after: $after) { kind event { type note { text } } }
}`;
const frame = await new Promise((resolve, reject) => {
  const following = client.subscription(subscription, { id, after: cursor }).subscribe(({ data, error }) => {
    if (error) reject(error);
    if (data?.interactionProgress.kind !== "EVENT") return;
    resolve(data.interactionProgress);
    queueMicrotask(() => following.unsubscribe());
  });
});
assert.equal(frame.event.note.text, "we call back");

const wrong = await client.query(gql`{ interactions(first: 1000) { nodes { id } } }`, {}).toPromise();
assert.equal(wrong.error.graphQLErrors[0].extensions.code, "BAD_USER_INPUT");

await socket.dispose();

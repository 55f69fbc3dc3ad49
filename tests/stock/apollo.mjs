// Apollo Client 4: asks, acts, follows, keeps one object an id, and tells the two kinds of refusal apart.
import assert from "node:assert/strict";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { filter, firstValueFrom } from "rxjs";
import WebSocket from "ws";
import { act, address, headers, token } from "./hub.mjs";

const socket = createClient({ url: `ws://${address}/graphql`, webSocketImpl: WebSocket, connectionParams: { token } });
const link = ApolloLink.split(
  ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
  new GraphQLWsLink(socket),
  new HttpLink({ uri: `http://${address}/graphql`, headers }),
);
const client = new ApolloClient({ link, cache: new InMemoryCache({ possibleTypes: { Node: ["Interaction", "Party"] } }) });

// a mutation's answer takes its place in the answer of a query that is watched: both are the interaction with this id
const { id, cursor } = await act();
const query = gql`query Shown($id: ID!) { interaction(id: $id) { id revision status notes { id text } } }`;
const told = [];
const watching = client.watchQuery({ query, variables: { id } }).subscribe(({ data }) => data && told.push(data.interaction.notes.length));
assert.equal((await client.query({ query, variables: { id } })).data.interaction.status, "OPEN");
const mutation = gql`mutation Note($input: AddNoteInput!) {
  addNote(input: $input) { interaction { id revision notes { id text } } errors { code } }
}`;
const { data } = await client.mutate({ mutation, variables: { input: { id, text: "we call back" } } });
assert.deepEqual(data.addNote.errors, []);
assert.equal(client.readQuery({ query, variables: { id } }).interaction.notes[0].text, "we call back");
await new Promise(setImmediate);
assert.equal(told.at(-1), 1);
watching.unsubscribe();

// a subscription that begins where something was read misses nothing
const subscription = gql`subscription Followed($id: ID!, $after: Cursor) {
  interactionProgress(interactionId: $id, after: $after) { kind cursor event { id type note { id text } } }
}`;
const frames = client.subscribe({ query: subscription, variables: { id, after: cursor } });
const frame = await firstValueFrom(frames.pipe(filter(({ data }) => data.interactionProgress.kind === "EVENT")));
assert.equal(frame.data.interactionProgress.event.note.text, "we call back");

// what is wrong with a request is an error; what is refused is in the payload, with its code
const wrong = client.query({ query: gql`{ interactions(first: 1000) { nodes { id } } }` });
await assert.rejects(wrong, (error) => CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code === "BAD_USER_INPUT");
const refused = await client.mutate({ mutation, variables: { input: { id: "int_none", text: "lost" } } });
assert.deepEqual(refused.data.addNote.errors.map(({ code }) => code), ["NOT_FOUND"]);

await socket.dispose();
client.stop();

// Apollo Client 4 with its persisted-queries link: a hash, then the text once, then the hash alone; and a trusted document by its id.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { act, address, headers } from "./hub.mjs";

const { id } = await act();
const sent = [];
const watched = (uri, asked) => {
  sent.push(JSON.parse(asked.body));
  return fetch(uri, asked);
};

function client(options) {
  const link = new PersistedQueryLink(options).concat(new HttpLink({ uri: `http://${address}/graphql`, headers, fetch: watched }));
  return new ApolloClient({ link, cache: new InMemoryCache(), defaultOptions: { query: { fetchPolicy: "no-cache" } } });
}

/** Whether each request since then had its text. */
const texts = () => sent.splice(0).map(({ query }) => query !== undefined);

// automatic persisted queries, for a query and for a mutation
const automatic = client({ sha256: (text) => createHash("sha256").update(text).digest("hex") });
const query = gql`query Automatic($id: ID!) { interaction(id: $id) { id status } }`;
assert.equal((await automatic.query({ query, variables: { id } })).data.interaction.status, "OPEN");
assert.deepEqual(texts(), [false, true]);
assert.equal((await automatic.query({ query, variables: { id } })).data.interaction.status, "OPEN");
assert.deepEqual(texts(), [false]);
const mutation = gql`mutation Noted($input: AddNoteInput!) { addNote(input: $input) { interaction { id notes { text } } errors { code } } }`;
for (const expected of [[false, true], [false]]) {
  const { data } = await automatic.mutate({ mutation, variables: { input: { id, text: "we call back" } } });
  assert.deepEqual(data.addNote.errors, []);
  assert.deepEqual(texts(), expected);
}

// a trusted document, by the id that the manifest gave it
const trusting = client({ generateHash: () => "who-1" });
const { data } = await trusting.query({ query: gql`query Who { viewer { roles } }` });
assert.deepEqual(data.viewer.roles, ["AGENT"]);
assert.deepEqual(texts(), [false]);

// What a web app does with graphql-ws: a query, a mutation and a stream on one socket, and a token that runs out meanwhile.
// Arguments: the hub's address, a token that ends soon, one that lasts. Prints a line of JSON for each thing it hears.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [address, brief, lasting] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify({ what, value }));
const CREATE = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { interaction { id } errors { code } } }";
const FOLLOW = "subscription { interactionEvents { kind event { type message } } }";
const NOTE = "mutation($input: AddNoteInput!) { addNote(input: $input) { errors { code } } }";

let connections = 0;
let hasExpired = false;
const client = createClient({
  url: `ws://${address}/graphql`,
  webSocketImpl: WebSocket,
  lazy: false,
  retryAttempts: 3,
  retryWait: async () => {},
  connectionParams: () => ({ Authorization: `Bearer ${connections++ === 0 ? brief : lasting}` }),
  on: {
    closed: ({ code }) => {
      hasExpired ||= code === 4403;
      say("closed", code);
    },
  },
});

const once = (query, variables) =>
  new Promise((resolve, reject) => {
    let heard;
    client.subscribe({ query, variables }, { next: (result) => (heard = result), error: reject, complete: () => resolve(heard) });
  });

say("query", (await once("{ viewer { roles } }")).data);
const made = (await once(CREATE, { input: { direction: "INBOUND", channel: "WEB_SELF_SERVICE" } })).data.createInteraction;
say("mutation", made.errors);

const done = new Promise((resolve, reject) => {
  const stop = client.subscribe({ query: FOLLOW }, {
    next: async ({ data: { interactionEvents: frame } }) => {
      say("frame", frame);
      if (frame.kind === "CAUGHT_UP" && hasExpired) await once(NOTE, { input: { id: made.interaction.id, text: "still here" } });
      if (frame.kind === "EVENT") { stop(); resolve(); }
    },
    error: reject,
    complete: () => {},
  });
});
await done;
await once("{ unknown }").catch((errors) => say("refused", errors.map((error) => error.extensions.code)));
await client.dispose();

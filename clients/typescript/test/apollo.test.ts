import assert from "node:assert/strict";
import { test } from "node:test";

import { gql, InMemoryCache } from "@apollo/client";

import { RevisionCache, typePolicies } from "../src/apollo.js";

const QUERY = gql`
  query One {
    interaction(id: "int_1") {
      id
      revision
      status
      reason
    }
  }
`;
const EVENT = gql`
  subscription Events {
    interactionEvents {
      kind
      event {
        id
        interaction {
          id
          revision
          status
        }
      }
    }
  }
`;

function state(cache: InMemoryCache, revision: number, status: string): void {
  const interaction = { __typename: "Interaction", id: "int_1", revision, status, reason: `at ${revision}` };
  cache.writeQuery({ query: QUERY, data: { interaction } });
}

function event(cache: InMemoryCache, revision: number, status: string): void {
  const interaction = { __typename: "Interaction", id: "int_1", revision, status };
  const event = { __typename: "InteractionEvent", id: `evt_${revision}`, interaction };
  const data = { interactionEvents: { __typename: "FeedFrame", kind: "EVENT", event } };
  cache.write({ query: EVENT, dataId: "ROOT_SUBSCRIPTION", result: data });
}

const shown = (cache: InMemoryCache) => (cache.readQuery({ query: QUERY }) as { interaction: { revision: number; status: string; reason: string } }).interaction;

test("an event that lands after a newer answer does not turn the cache back", () => {
  const cache = new RevisionCache();
  state(cache, 5, "RESOLVED");
  event(cache, 4, "IN_PROGRESS");
  assert.deepEqual({ ...shown(cache), __typename: undefined, id: undefined }, { __typename: undefined, id: undefined, revision: 5, status: "RESOLVED", reason: "at 5" });
});

test("an answer that was overtaken by an event does not either", () => {
  const cache = new RevisionCache();
  state(cache, 1, "OPEN");
  event(cache, 3, "PENDING");
  state(cache, 2, "IN_PROGRESS");
  assert.equal(shown(cache).revision, 3);
  assert.equal(shown(cache).status, "PENDING");
});

test("what is newer, or as new, is taken", () => {
  const cache = new RevisionCache();
  state(cache, 1, "OPEN");
  event(cache, 2, "IN_PROGRESS");
  assert.equal(shown(cache).status, "IN_PROGRESS");
  state(cache, 2, "PENDING");
  assert.equal(shown(cache).status, "PENDING");
});

test("type policies alone would not have kept it", () => {
  const cache = new InMemoryCache({ typePolicies });
  state(cache, 5, "RESOLVED");
  event(cache, 4, "IN_PROGRESS");
  assert.equal(shown(cache).status, "IN_PROGRESS");
});

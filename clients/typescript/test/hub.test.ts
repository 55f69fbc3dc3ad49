/** Against a real hub: HUB_URL is its address, CUT a port behind which the same hub is cut off now and then; tokens by role. */
import assert from "node:assert/strict";
import { test } from "node:test";

import WebSocket from "ws";

import { createHubClient, inMemory, type Frame } from "../src/index.js";

const { HUB_URL, HUB_CUT_URL, HUB_BRIEF_TOKEN, HUB_TOKEN } = process.env;
const skip = HUB_URL === undefined ? "there is no hub: HUB_URL is not set" : false;
const EVENTS = "subscription($after: Cursor) { interactionEvents(after: $after) { kind cursor event { id type sequence message } } }";
const CREATE = "mutation($input: CreateInteractionInput!) { createInteraction(input: $input) { interaction { id } errors { code } } }";
const REPORT = "mutation($input: ReportProgressInput!) { reportProgress(input: $input) { errors { code } } }";

for (const transport of ["ws", "sse"] as const) {
  const at = (url: string, token: (isRefused: boolean) => string) =>
    createHubClient({ url, token, transport, webSocketImpl: WebSocket, wait: () => 20 + Math.random() * 80 });

  test(`${transport}: every event is heard once and in order, however often the connection is cut`, { skip, timeout: 60_000 }, async () => {
    const writer = at(HUB_URL!, () => HUB_TOKEN!);
    const reader = at(HUB_CUT_URL!, () => HUB_TOKEN!);
    const made = await writer.run<{ createInteraction: { interaction: { id: string } } }>({
      query: CREATE,
      variables: { input: { direction: "INBOUND", channel: "PHONE" } },
    });
    const id = made.createInteraction.interaction.id;
    const heard: string[] = [];
    let isCaughtUp: () => void;
    const caughtUp = new Promise<void>((resolve) => (isCaughtUp = resolve));
    let isDone: () => void;
    const done = new Promise<void>((resolve) => (isDone = resolve));
    const follow = reader.follow({ key: "all", query: EVENTS }, async (frame: Frame) => {
      if (frame.kind === "CAUGHT_UP") isCaughtUp();
      await new Promise((resolve) => setTimeout(resolve, 2)); // an effect that takes its time
      const message = frame.event?.["message"] as string | undefined;
      if (message?.startsWith(transport)) heard.push(message);
      if (message === `${transport} 199`) isDone();
    });
    await caughtUp;
    for (let number = 0; number < 200; number++) {
      await writer.run({ query: REPORT, variables: { input: { id, message: `${transport} ${number}` } } });
    }
    await done;
    follow.stop();
    assert.deepEqual(heard, Array.from({ length: 200 }, (_, number) => `${transport} ${number}`));
    await Promise.all([writer.close(), reader.close()]);
  });

  test(`${transport}: a token that ends is replaced by a fresh one, and nothing is missed`, { skip, timeout: 60_000 }, async () => {
    const asked: boolean[] = [];
    const client = at(HUB_URL!, (isRefused) => {
      asked.push(isRefused);
      return asked.length === 1 ? HUB_BRIEF_TOKEN! : HUB_TOKEN!;
    });
    const writer = at(HUB_URL!, () => HUB_TOKEN!);
    let again: () => void;
    const cameBack = new Promise<void>((resolve) => (again = resolve));
    let told: (frame: Frame) => void;
    const event = new Promise<Frame>((resolve) => (told = resolve));
    const follow = client.follow({ key: "all", query: EVENTS }, (frame) => {
      if (frame.kind === "CAUGHT_UP" && asked.length > 1) again();
      if (frame.kind === "EVENT" && frame.event?.["type"] === "CREATED") told(frame);
    });
    await cameBack;
    await writer.run({ query: CREATE, variables: { input: { direction: "INBOUND", channel: "PHONE" } } });
    await event;
    if (transport === "ws") assert.equal(asked[1], true);
    follow.stop();
    await follow.ended;
    await Promise.all([client.close(), writer.close()]);
  });

  test(`${transport}: an effect that fails leaves its frame unseen, to be told again`, { skip, timeout: 60_000 }, async () => {
    const store = inMemory();
    const client = createHubClient({ url: HUB_URL!, token: () => HUB_TOKEN!, transport, webSocketImpl: WebSocket, store });
    let isReady: () => void;
    const ready = new Promise<void>((resolve) => (isReady = resolve));
    const failing = client.follow({ key: "desk", query: EVENTS }, (frame) => {
      if (frame.kind === "CAUGHT_UP") return isReady();
      if (frame.kind === "EVENT") throw new Error("the disk is full");
    });
    await ready;
    await new Promise((resolve) => setTimeout(resolve, 50)); // its effect is done, and its cursor kept
    await client.run({ query: CREATE, variables: { input: { direction: "INBOUND", channel: "PHONE" } } });
    await assert.rejects(failing.ended, /the disk is full/);
    const again = await new Promise<Frame>((resolve) => void client.follow({ key: "desk", query: EVENTS }, resolve));
    assert.equal(again.kind, "EVENT");
    await client.close();
  });
}

test("what the hub refuses ends the stream with its errors", { skip, timeout: 30_000 }, async () => {
  const client = createHubClient({ url: HUB_URL!, token: () => HUB_TOKEN!, webSocketImpl: WebSocket });
  const follow = client.follow({ key: "x", query: "subscription { interactionProgress(interactionId: \"int_x\") { kind cursor } }" }, () => {});
  await assert.rejects(follow.ended, (errors: { extensions: { code: string } }[]) => errors[0]!.extensions.code === "NOT_FOUND");
  await client.close();
});

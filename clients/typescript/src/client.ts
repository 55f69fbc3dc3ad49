import { createClient as createSse } from "graphql-sse";
import { type Client as WsClient, createClient as createWs } from "graphql-ws";

import { type CursorStore, inMemory } from "./cursors.js";

/** What a subscription of the hub sends. Select `kind` and `cursor`, and the event's `id`: by it an event is known again. */
export interface Frame {
  kind: "EVENT" | "CAUGHT_UP" | "CHECKPOINT" | "LEFT" | "RESET";
  cursor: string;
  event?: ({ id: string } & Record<string, unknown>) | null;
  interactionId?: string | null;
  reason?: string | null;
}

export interface Operation {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

export interface HubOptions {
  /** The hub's GraphQL address, such as `https://hub.example.com/graphql`. */
  url: string;
  /** A token; asked for at each connection. `isRefused`: the last one was not valid any more, so a fresh one is needed. */
  token: (isRefused: boolean) => string | Promise<string>;
  /** `ws`, the default, carries everything over one socket; `sse` a request for each, where proxies allow no sockets. */
  transport?: "ws" | "sse";
  store?: CursorStore;
  /** Milliseconds before the try number `retries`, counted from 0. By default up to 0.5 s, doubled each time, at most 30 s; by chance. */
  wait?: (retries: number) => number;
  webSocketImpl?: unknown;
  fetchFn?: typeof fetch;
}

export interface Follow extends Operation {
  /** Names the stream in the store. Its document declares `$after: Cursor` and passes it on. */
  key: string;
}

export interface Following {
  stop(): void;
  /** Rejects with what ended the stream: an answer with errors, or an effect that threw. Resolves after `stop`. */
  readonly ended: Promise<void>;
}

export interface HubClient {
  /** `effect` is called for each frame, one after the other; a frame counts as seen when what it returns has resolved. */
  follow(follow: Follow, effect: (frame: Frame) => unknown): Following;
  /** The data of a query or mutation; rejects with its errors. */
  run<T = Record<string, unknown>>(operation: Operation): Promise<T>;
  close(): Promise<void>;
}

const REFUSED = 4403;
const REMEMBERED = 10_000; // ids of events: more than a hub sends again

const byChance = (retries: number) => Math.random() * Math.min(30_000, 500 * 2 ** retries);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

interface Sink {
  next(result: { data?: unknown; errors?: readonly unknown[] }): void;
  error(error: unknown): void;
  complete(): void;
}

interface Wire {
  subscribe(operation: Operation, sink: Sink, cursor: () => string | undefined): () => void;
  close(): Promise<void>;
}

export function createHubClient(options: HubOptions): HubClient {
  const store = options.store ?? inMemory();
  const keys = new Map<string, number>(); // of the streams that are followed now
  const wire = options.transport === "sse" ? overEvents(options) : overSocket(options, () => cursorsOf(store, keys));

  return {
    follow(follow, effect) {
      const { key, variables, ...operation } = follow;
      keys.set(key, (keys.get(key) ?? 0) + 1);
      const seen = new Set<string>();
      let work = Promise.resolve();
      let settle: { resolve(): void; reject(error: unknown): void };
      const ended = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
      ended.catch(() => {}); // whoever wants to know asks for it
      let isOver = false;
      const finish = (error?: unknown) => {
        if (isOver) return;
        isOver = true;
        stop();
        const left = (keys.get(key) ?? 1) - 1;
        if (left) keys.set(key, left);
        else keys.delete(key);
        error === undefined ? settle.resolve() : settle.reject(error);
      };
      const take = async (frame: Frame) => {
        if (isOver) return;
        await effect(frame);
        store.set(key, frame.cursor);
      };
      const sink: Sink = {
        next(result) {
          if (result.errors?.length) return finish(result.errors);
          const frame = Object.values(result.data as Record<string, Frame>)[0] as Frame;
          const id = frame.event?.id;
          if (id !== undefined) {
            if (seen.has(id)) return; // sent again, as it had not counted as seen when the connection broke
            seen.add(id);
            if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
          }
          work = work.then(() => take(frame)).catch(finish);
        },
        error: finish,
        complete: () => void work.then(() => finish()),
      };
      const asked = { ...operation, variables: { ...variables, after: store.get(key) ?? variables?.["after"] ?? null } };
      let stop = () => {};
      stop = wire.subscribe(asked, sink, () => store.get(key));
      return { stop: () => finish(), ended };
    },
    run: <T>(operation: Operation) =>
      new Promise<T>((resolve, reject) => {
        let data: unknown;
        wire.subscribe(
          operation,
          {
            next: (result) => (result.errors?.length ? reject(result.errors) : (data = result.data)),
            error: reject,
            complete: () => resolve(data as T),
          },
          () => undefined,
        );
      }),
    close: () => wire.close(),
  };
}

function cursorsOf(store: CursorStore, keys: Map<string, number>): string[] {
  return [...keys.keys()].flatMap((key) => store.get(key) ?? []);
}

/** One socket. A stock client asks again in its old words when it comes back; the hub begins at the cursors that it then names. */
function overSocket(options: HubOptions, cursors: () => string[]): Wire {
  let isRefused = false;
  const client: WsClient = createWs({
    url: options.url.replace(/^http/, "ws"),
    ...(options.webSocketImpl === undefined ? {} : { webSocketImpl: options.webSocketImpl }),
    retryAttempts: Number.MAX_SAFE_INTEGER,
    shouldRetry: () => true, // fatal codes are not asked about
    retryWait: (retries) => sleep((options.wait ?? byChance)(retries)),
    connectionParams: async () => {
      const token = await options.token(isRefused);
      isRefused = false;
      return { token, cursors: cursors() };
    },
    on: { closed: (event) => void (isRefused = (event as { code?: number }).code === REFUSED) },
  });
  return {
    subscribe: (operation, sink) => client.subscribe(operation, sink as Parameters<WsClient["subscribe"]>[1]),
    close: async () => void (await client.dispose()),
  };
}

/** A request for each operation; `Last-Event-ID` says where a broken stream goes on. */
function overEvents(options: HubOptions): Wire {
  const open = new Set<() => void>();
  let isRefused = false;
  const fetchFn: typeof fetch = async (input, init) => {
    const response = await (options.fetchFn ?? fetch)(input, init);
    if (response.status !== 401) return response;
    isRefused = true;
    throw new TypeError("The token is not valid"); // a fault of the network, to a client that would give up on a 401
  };
  return {
    subscribe(operation, sink, cursor) {
      const client = createSse({
        url: options.url,
        fetchFn,
        retryAttempts: Number.MAX_SAFE_INTEGER,
        retry: (retries) => sleep((options.wait ?? byChance)(retries)),
        headers: async () => {
          const token = await options.token(isRefused);
          isRefused = false;
          const last = cursor();
          return { authorization: `Bearer ${token}`, ...(last === undefined ? {} : { "last-event-id": last }) };
        },
      });
      const stop = client.subscribe(operation, {
        next: (result) => sink.next(result),
        error: (error) => (open.delete(stop), sink.error(error)),
        complete: () => (open.delete(stop), sink.complete()),
      });
      open.add(stop);
      return () => (open.delete(stop), stop());
    },
    close: async () => open.forEach((stop) => stop()),
  };
}

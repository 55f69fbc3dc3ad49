/** Follows an Interaction Hub: remembers its place, comes back by itself, and hears every event once. */
export { type CursorStore, inMemory, inStorage } from "./cursors.js";
export { type Follow, type Following, type Frame, type HubClient, type HubOptions, type Operation, createHubClient } from "./client.js";

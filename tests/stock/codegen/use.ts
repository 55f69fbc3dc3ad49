// How an app uses what graphql-codegen makes of the schema and of its own operations: tsc proves that it fits.
import type { CreateMutationVariables, DeskQuery, FollowSubscription } from "./desk.js";
import type { Interaction } from "./schema.js";

export const asked: CreateMutationVariables = { input: { direction: "INBOUND", channel: "MOBILE_APP", items: [{ type: "SIM" }] } };

export function urgent({ interactions }: DeskQuery): readonly string[] {
  return interactions?.nodes.filter(({ priority, progress }) => priority === "URGENT" && progress?.overdue).map(({ id }) => id) ?? [];
}

export function place({ interactionEvents }: FollowSubscription, cursors: string[]): string {
  return cursors[cursors.push(interactionEvents.cursor) - 1] ?? interactionEvents.cursor;
}

export const title = ({ topic, reason, createdAt }: Interaction): string => topic ?? reason ?? createdAt;

// @ts-expect-error no interaction is opened over nothing
export const refused: CreateMutationVariables = { input: { direction: "INBOUND" } };

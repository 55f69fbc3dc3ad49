// The ready-made operations: read from their one file, and filled with what this viewer has in sight.
import text from "./operations.graphql";

const HEAD = /^# ([A-Z_]+(?:, [A-Z_]+)*): (.+)\n(?:# variables: (.+)\n)?/m;
const NEWEST = "query($status: [InteractionStatus!]) { interactions(filter: {status: $status}, first: 1) { nodes { id } } }";
const ME = "{ viewer { party { id } } }";

export const READY = text
  .split(/\n(?=# [A-Z_]+(?:, [A-Z_]+)*: )/)
  .slice(1)
  .map((part) => {
    const [head, roles, title, variables] = HEAD.exec(part);
    return { roles: roles.split(", "), title, variables: JSON.parse(variables ?? "{}"), query: part.slice(head.length).trim() };
  });

export const suits = (operation, roles) => operation.roles.some((role) => roles.includes(role));

/** The variables with what begins with "?" found out; what is not there is left empty, for whoever runs it to fill. */
export async function filled(variables, ask) {
  const entries = Object.entries(variables).map(async ([name, value]) => [
    name,
    typeof value === "string" && value.startsWith("?") ? await found(value.slice(1), ask) : value,
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

async function found(what, ask) {
  if (what === "now") return new Date().toISOString();
  const answer = what === "me" ? await ask(ME) : await ask(NEWEST, { status: what.split("|") });
  return (what === "me" ? answer.data?.viewer?.party?.id : answer.data?.interactions?.nodes[0]?.id) ?? "";
}

// What every script is given: where the hub is and who asks; and one act to look at.
export const [address, token] = process.argv.slice(2);
export const headers = { authorization: `Bearer ${token}` };

/** A new interaction: its id, and the cursor from which all that follows is told. */
export async function act() {
  const query = 'mutation { createInteraction(input: {direction: INBOUND, channel: WEB_SELF_SERVICE}) { cursor interaction { id } } }';
  const asked = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify({ query }) };
  const { cursor, interaction } = (await (await fetch(`http://${address}/graphql`, asked)).json()).data.createInteraction;
  return { cursor, id: interaction.id };
}

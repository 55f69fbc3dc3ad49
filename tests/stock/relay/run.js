// Relay's runtime on what its compiler made: a connection that grows page by page, an act that shows at once, a refetch by `node`.
const assert = require("node:assert/strict");
const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getSelector } = require("relay-runtime");

const [address, token] = process.argv.slice(2);
const ask = async ({ text }, variables) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`http://${address}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) });
  return answer.json();
};
const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
const made = (name) => require(`./made/${name}.graphql.js`);

async function main() {
  const open = "mutation { createInteraction(input: {direction: INBOUND, channel: PHONE}) { interaction { id } } }";
  const ids = [];
  for (let made = 0; made < 5; made++) ids.unshift((await ask({ text: open }, {})).data.createInteraction.interaction.id);

  // first: 2, and twice the next 2 after endCursor, as loadNext asks for them
  const desk = createOperationDescriptor(made("deskQuery"), { first: 2, ids });
  environment.retain(desk);
  const page = () => {
    const selector = getSelector(made("deskPage"), environment.lookup(desk.fragment).data);
    return environment.lookup(selector).data.interactions;
  };
  await fetchQuery(environment, made("deskQuery"), { first: 2, ids }).toPromise();
  while (page().pageInfo.hasNextPage) {
    await fetchQuery(environment, made("deskPageQuery"), { first: 2, after: page().pageInfo.endCursor, ids }).toPromise();
  }
  assert.deepEqual(page().edges.map(({ node }) => node.id), ids);

  // the mutation's interaction is the one of the page, by its id
  const detail = () => environment.lookup(getSelector(made("deskDetail"), page().edges[0].node)).data;
  assert.deepEqual(detail().notes, []);
  const input = { id: ids[0], text: "we call back" };
  const noted = await new Promise((onCompleted, onError) =>
    commitMutation(environment, { mutation: made("deskNoteMutation"), variables: { input }, onCompleted, onError }),
  );
  assert.deepEqual(noted.addNote.errors, []);
  assert.equal(detail().notes[0].text, "we call back");

  // what another did meanwhile comes by `node`
  await ask({ text: `mutation { addNote(input: {id: "${ids[0]}", text: "they wait"}) { replayed } }` }, {});
  assert.equal(detail().notes.length, 1);
  await fetchQuery(environment, made("deskDetailQuery"), { id: ids[0] }).toPromise();
  assert.deepEqual(detail().notes.map(({ text }) => text), ["we call back", "they wait"]);
}

main();

// graphql-http's audit of a server over HTTP: a JSON object for each of its demands.
import { serverAudits } from "graphql-http";
import { address, headers } from "./hub.mjs";

const fetchAs = (url, init = {}) => fetch(url, { ...init, headers: { ...headers, ...init.headers } });
for (const audit of serverAudits({ url: `http://${address}/graphql`, fetchFn: fetchAs })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ id, name, status, reason }));
}

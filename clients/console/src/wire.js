// The two ways to the hub: queries and mutations over HTTP, subscriptions over graphql-transport-ws; the token goes with each.
import { getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";

const HTTP = new URL("graphql", document.baseURI);
const SOCKET = new URL(HTTP);
SOCKET.protocol = HTTP.protocol.replace("http", "ws");

export function wire(token) {
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  // what is open when the token changes ends with the socket
  const client = createClient({ url: SOCKET.href, connectionParams: authorization });

  async function post(asked) {
    const response = await fetch(HTTP, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json", ...authorization },
      body: JSON.stringify(asked),
      credentials: "omit",
    });
    try {
      return await response.json();
    } catch {
      return { errors: [{ message: `The hub answered ${response.status}, without JSON.` }] };
    }
  }

  const follow = (asked) => ({
    subscribe: (sink) => {
      const tell = (errors) => (sink.next({ errors }), sink.complete());
      const error = (cause) => tell(Array.isArray(cause) ? cause : [{ message: closed(cause) }]);
      return { unsubscribe: client.subscribe(asked, { next: sink.next, complete: sink.complete, error }) };
    },
  });

  return {
    ask: (query, variables) => post({ query, variables }),
    fetcher: (given) => {
      const [asked, isFollowed] = meant(given);
      return isFollowed ? follow(asked) : post(asked);
    },
    end: () => client.dispose(),
  };
}

const closed = (cause) => (cause?.code ? `The socket was closed: ${cause.code} ${cause.reason}` : (cause?.message ?? "The socket broke."));

/** What is asked, and whether it is followed. The editor says a tenth of a second late which operation it holds: a name of none is left out. */
function meant({ operationName, ...asked }) {
  try {
    const document = parse(asked.query);
    const named = getOperationAST(document, operationName);
    const isFollowed = (named ?? getOperationAST(document))?.operation === "subscription";
    return [named && operationName ? { ...asked, operationName } : asked, isFollowed];
  } catch {
    return [asked, false]; // the hub says what is wrong with it
  }
}

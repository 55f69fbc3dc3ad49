// The console: GraphiQL below one line that holds the token. What it remembers, it remembers in this tab alone.
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import "./console.css";
import { Access, READY_MADE } from "./panel.jsx";
import { wire } from "./wire.js";

const KEPT = "hub-token"; // in sessionStorage: it ends with the tab
const PLUGINS = [READY_MADE];
const NOBODY = { said: "", roles: [] };
const FIRST = `# Put a token into the field above; \`make run\` prints one for each role, \`hub token --role AGENT\` makes one.
# Then choose on the left what is ready-made, or write here. Ctrl-Enter runs it, Ctrl-Space completes.
query WhoAmI {
  viewer {
    roles
    expiresAt
  }
}
`;

function Console() {
  const [token, setToken] = useState(sessionStorage.getItem(KEPT) ?? "");
  const [viewer, setViewer] = useState(NOBODY);
  const way = useMemo(() => wire(token), [token]);
  const { said, roles } = viewer.way === way ? viewer : NOBODY;
  const access = useMemo(() => ({ ask: way.ask, roles }), [way, roles]);

  useEffect(unfold, []);
  useEffect(() => {
    token ? sessionStorage.setItem(KEPT, token) : sessionStorage.removeItem(KEPT);
    let isCurrent = true;
    known(way, token).then((found) => isCurrent && setViewer({ ...found, way }));
    return () => {
      isCurrent = false;
      way.end();
    };
  }, [way, token]);

  return (
    <Access.Provider value={access}>
      <header className="bar">
        <h1>Interaction Hub</h1>
        <label>
          Token
          <input
            id="token"
            type="password"
            value={token}
            placeholder="eyJ..."
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setToken(event.target.value.trim().replace(/^Bearer\s+/i, ""))}
          />
        </label>
        <output id="viewer">{said}</output>
      </header>
      <main>
        <GraphiQL
          fetcher={way.fetcher}
          schema={roles.length ? undefined : null} // the hub tells it to whoever has a token
          storage={sessionStorage}
          plugins={PLUGINS}
          defaultEditorToolsVisibility="variables"
          defaultQuery={FIRST}
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
        />
      </main>
    </Access.Provider>
  );
}

/** Open the panel, as a click does: as soon as its button is there; GraphiQL has no other way to begin with one. */
function unfold() {
  const button = document.querySelector(`button[aria-label="Show ${READY_MADE.title}"]`);
  button ? button.click() : requestAnimationFrame(unfold);
}

async function known(way, token) {
  if (!token) return { said: "Without a token the hub tells nothing.", roles: [] };
  try {
    const { data, errors } = await way.ask("{ viewer { roles expiresAt } }");
    if (!data) return { said: errors?.[0]?.message ?? "The hub does not answer.", roles: [] };
    const until = data.viewer.expiresAt ? ` until ${new Date(data.viewer.expiresAt).toLocaleString()}` : "";
    return { said: `${data.viewer.roles.join(", ")}${until}`, roles: data.viewer.roles };
  } catch {
    return { said: "The hub does not answer.", roles: [] };
  }
}

createRoot(document.getElementById("root")).render(<Console />);

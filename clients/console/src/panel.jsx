// The panel beside the editor that lists what a role does, ready to run: each opens in a tab of its own.
import { useEditorContext } from "@graphiql/react";
import { createContext, useContext, useEffect, useState } from "react";
import { READY, filled, suits } from "./ready.js";

export const Access = createContext(null);

const Icon = () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <path d="M9 6h12M9 12h12M9 18h12M3 4.5l2.5 1.5L3 7.5M3 10.5l2.5 1.5L3 13.5M3 16.5l2.5 1.5L3 19.5" />
  </svg>
);

function Panel() {
  const { ask, roles } = useContext(Access);
  const { addTab, tabs, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const [chosen, choose] = useState(null);
  const shown = roles.length ? READY.filter((operation) => suits(operation, roles)) : READY;

  useEffect(() => {
    if (!chosen || tabs.length !== chosen.tabs) return; // the new tab is not there yet
    variableEditor?.setValue(Object.keys(chosen.variables).length ? JSON.stringify(chosen.variables, null, 2) : "");
    queryEditor?.setValue(chosen.query);
    choose(null);
  }, [chosen, tabs, queryEditor, variableEditor]);

  const open = async (operation) => {
    const variables = await filled(operation.variables, ask);
    const isEmpty = !queryEditor?.getValue().trim();
    choose({ query: operation.query, variables, tabs: tabs.length + (isEmpty ? 0 : 1) });
    if (!isEmpty) addTab();
  };

  return (
    <section className="ready" aria-label="Ready-made operations">
      <h2>{roles.length ? `As ${roles.join(", ")}` : "Ready-made operations"}</h2>
      {!roles.length && <p>With a token above, these are the ones of its roles, filled with what it has in sight.</p>}
      <ul>
        {shown.map((operation) => (
          <li key={operation.title}>
            <button type="button" onClick={() => open(operation)}>
              <b>{operation.title}</b>
              <span>{roles.length ? operation.query.split(/\W/)[0] : operation.roles.join(", ")}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export const READY_MADE = { title: "Ready-made operations", icon: Icon, content: Panel };

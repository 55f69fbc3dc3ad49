// Stands in for react-style-singleton, whose <style> elements a strict Content-Security-Policy refuses: the same rules as a sheet
// made in the object model, which that policy allows.
import { useEffect } from "react";

export function stylesheetSingleton() {
  let users = 0;
  let sheet;
  return {
    add(rules) {
      if (users++) return;
      sheet = new CSSStyleSheet();
      sheet.replaceSync(rules);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    remove() {
      if (--users) return;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    },
  };
}

export function styleHookSingleton() {
  const sheet = stylesheetSingleton();
  return (rules, isDynamic) =>
    useEffect(() => {
      sheet.add(rules);
      return () => sheet.remove();
    }, [rules && isDynamic]);
}

export function styleSingleton() {
  const useRules = styleHookSingleton();
  return ({ styles, dynamic }) => {
    useRules(styles, dynamic);
    return null;
  };
}

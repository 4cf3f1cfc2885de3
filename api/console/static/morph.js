/* An htmx swap that changes only what differs: focus, selection, scroll, open details and typed
   text stay. Elements pair up by id or data-key. Rows marked data-arrives slide in, and the view
   is held still so that nothing moves under the pointer. */
"use strict";
(() => {
  const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset?.key || null : null);

  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  const inUse = (node) => node === document.activeElement && node.matches("input, select, textarea");

  function syncAttributes(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      const keep = name === "class" ? false : (name === "open" && from.nodeName === "DETAILS") || name === "hidden";
      if (!to.hasAttribute(name) && !keep) from.removeAttribute(name);
    }
  }

  function sync(from, to) {
    if (from.isEqualNode(to)) return;
    if (from.nodeType !== 1) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (inUse(from)) return;
    if (from.nodeName === "DETAILS") to.open = from.open;
    if (from.nodeName === "INPUT" && ["radio", "checkbox"].includes(from.type)) {
      const checked = to.hasAttribute("checked");
      syncAttributes(from, to);
      from.checked = checked;
      return;
    }
    if (from.nodeName === "INPUT" || from.nodeName === "TEXTAREA") {
      syncAttributes(from, to);
      return;
    }
    syncAttributes(from, to);
    syncChildren(from, to);
    if (from.nodeName === "SELECT") from.value = [...to.options].find((o) => o.hasAttribute("selected"))?.value ?? "";
  }

  function syncChildren(parent, wanted) {
    const keyed = new Map();
    for (const child of parent.childNodes) {
      const key = keyOf(child);
      if (key) keyed.set(key, child);
    }
    let at = parent.firstChild;
    for (const next of [...wanted.childNodes]) {
      const key = keyOf(next);
      const found = key ? keyed.get(key) : null;
      if (found && same(found, next)) {
        if (found !== at) parent.insertBefore(found, at);
        else at = at.nextSibling;
        sync(found, next);
      } else if (!key && at && same(at, next)) {
        const current = at;
        at = at.nextSibling;
        sync(current, next);
      } else {
        if (next.nodeType === 1 && next.hasAttribute("data-arrives")) next.classList.add("arrived");
        parent.insertBefore(next, at);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  const anchorOf = (target) =>
    [document.activeElement, target.querySelector("[data-arrives]:hover")].find(
      (node) => node && node !== document.body && target.contains(node),
    ) || [...target.querySelectorAll("[data-arrives]")].find((row) => row.getBoundingClientRect().top > 60 && scrollY > 0);

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap: (style, target, fragment) => {
      if (style !== "morph") return false;
      const anchor = anchorOf(target);
      const before = anchor?.getBoundingClientRect().top;
      syncChildren(target, fragment);
      if (anchor?.isConnected) {
        const moved = anchor.getBoundingClientRect().top - before;
        if (Math.abs(moved) > 1) scrollBy({ top: moved, behavior: "instant" });
      }
      document.dispatchEvent(new CustomEvent("morphed"));
      return [target];
    },
  });

  /* Whoever is typing is not disturbed: the renewal is dropped and a notice shown instead. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const guarded = event.target.closest?.("[data-guard]");
    if (!guarded || guarded !== event.target) return;
    const typed = [...guarded.querySelectorAll("textarea, input:not([type=hidden], [type=radio]), select")].some(
      (field) => (field.nodeName === "SELECT" ? field.selectedIndex > 0 : field.value !== field.defaultValue),
    );
    if (!typed) return;
    event.preventDefault();
    if (event.detail.requestConfig?.triggeringEvent?.type?.startsWith("live:")) {
      document.getElementById(guarded.dataset.guard)?.removeAttribute("hidden");
    }
  });
})();

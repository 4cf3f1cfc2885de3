/* Keys for people who work the queue all night; `?` shows them. */
"use strict";
(() => {
  const help = document.getElementById("keys-help");
  const places = { q: "/console", b: "/console/buildings", n: "/console/network" };
  let going = 0;

  const find = document.getElementById("find");
  if (find) {
    find.form.querySelector("[name=go]").disabled = false;
    find.addEventListener("keydown", (event) => {
      const links = [...document.querySelectorAll("#found a")];
      if (event.key === "ArrowDown" && links.length) {
        event.preventDefault();
        links[0].focus();
      }
      if (event.key === "Escape") find.blur();
    });
    document.getElementById("found").addEventListener("keydown", (event) => {
      const links = [...document.querySelectorAll("#found a")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") find.focus();
      if (!step) return;
      event.preventDefault();
      (links[links.indexOf(document.activeElement) + step] || find).focus();
    });
  }

  function row(step) {
    const links = [...document.querySelectorAll(".tickets .cover, .members tbody th a")];
    const now = links.indexOf(document.activeElement);
    const next = links[now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog")) return;
    if (going && Date.now() - going < 1500 && places[event.key]) {
      location.href = places[event.key];
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "/" && find) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "j") row(1);
    else if (event.key === "k") row(-1);
    else if (event.key === "?" && help) help.showModal();
    else if (event.key === "a") {
      const acts = document.getElementById("acts");
      const first = acts?.querySelector(".act[open] :is(input:not([type=hidden]), select, textarea)") || acts?.querySelector("summary");
      if (first) {
        event.preventDefault();
        first.focus();
        first.scrollIntoView({ block: "center" });
      }
    }
  });
})();

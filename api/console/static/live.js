/* Keeps a page live: one event stream per visible tab (browsers allow few), the clock, relative
   times, and a count of news in the title of a tab that nobody looks at. */
"use strict";
(() => {
  const sign = document.getElementById("live");
  const title = document.title;
  const stays = document.body.hasAttribute("data-stay-live");
  let stream = null;
  let unseen = 0;
  let leaving = 0;

  const say = (on) => {
    sign.classList.toggle("on", on);
    sign.classList.toggle("off", !on);
    sign.lastElementChild.textContent = on ? sign.dataset.live : sign.dataset.lost;
  };

  const tell = (name) => document.body.dispatchEvent(new CustomEvent(name, { bubbles: true }));

  function connect() {
    if (stream || !sign || !window.EventSource) return;
    stream = new EventSource("/console/live");
    stream.addEventListener("open", () => say(true));
    stream.addEventListener("error", () => {
      if (leaving !== -1) say(false);
      if (stream?.readyState === EventSource.CLOSED) {
        stream = null;
        setTimeout(connect, 5000);
      }
    });
    stream.addEventListener("tickets", (event) => {
      const numbers = JSON.parse(event.data);
      tell("live:tickets");
      numbers.forEach((number) => tell(`live:tickets:${number}`));
      if (!numbers.length) tell("live:tickets:any");
      if (document.hidden) {
        unseen += Math.max(1, numbers.length);
        document.title = `(${unseen}) ${title}`;
      }
    });
    stream.addEventListener("ended", () => location.reload());
  }

  function disconnect() {
    stream?.close();
    stream = null;
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) {
      if (!stays) leaving = setTimeout(disconnect, 15000);
      return;
    }
    unseen = 0;
    document.title = title;
    if (!stream) {
      connect();
      tell("live:tickets");
      tell("live:tickets:any");
    }
  });
  addEventListener("pagehide", () => {
    leaving = -1;
    disconnect();
  });
  addEventListener("pageshow", (event) => event.persisted && connect());

  /* Relative times in the page's language. */
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  function ago(instant) {
    const seconds = (Date.parse(instant) - Date.now()) / 1000;
    const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) || ["minute", 60];
    return words.format(Math.trunc(seconds / size), unit);
  }
  const clock = document.getElementById("clock");
  const hands = clock && new Intl.DateTimeFormat("en-GB", { timeZone: clock.dataset.zone, hour: "2-digit", minute: "2-digit" });
  function tick() {
    document.querySelectorAll("[data-ago]").forEach((node) => {
      const text = ago(node.dataset.ago);
      if (node.textContent !== text) node.textContent = text;
    });
    if (clock) clock.textContent = hands.format(new Date());
  }
  setInterval(tick, 10000);
  document.addEventListener("morphed", tick);
  tick();
  if (sign) connect();
})();

"use strict";
// New stories come in by themselves where the reader stands at the top; further down a button offers them.
const list = document.getElementById("list");
const live = document.querySelector(".live");

if (list && live && list.dataset.live && window.EventSource) {
  const button = live.querySelector("button");
  let waiting = 0;
  let busy = false;
  let again = false;

  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(list.dataset.live, { credentials: "same-origin" });
      if (answer.ok) {
        const seen = new Set(Array.from(list.querySelectorAll("h2 a"), (link) => link.getAttribute("href")));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const story of page.querySelectorAll("li.story")) {
          const link = story.querySelector("h2 a");
          if (seen.size && link && !seen.has(link.getAttribute("href"))) { story.classList.add("fresh"); }
        }
        list.replaceChildren(...page.body.childNodes);
        waiting = 0;
        show();
      }
    } catch { /* the stream reconnects by itself and asks again */ } finally {
      setTimeout(() => { busy = false; if (again) { again = false; refresh(); } }, 1500);
    }
  };

  const show = () => {
    button.textContent = waiting ? `${waiting} new ${waiting === 1 ? "story" : "stories"}: show` : "Live";
    button.disabled = !waiting;
    live.classList.toggle("waiting", waiting > 0);
  };

  const reading = () => window.scrollY > 200 || document.hidden || list.contains(document.activeElement);

  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => { live.hidden = false; live.classList.remove("lost"); show(); });
  stream.addEventListener("error", () => { live.classList.add("lost"); button.textContent = "Connection lost, trying again"; });
  stream.addEventListener("message", () => { waiting += 1; if (reading()) { show(); } else { refresh(); } });
  button.addEventListener("click", () => { window.scrollTo({ top: 0 }); refresh(); });
  document.addEventListener("visibilitychange", () => { if (waiting && !reading()) { refresh(); } });
  window.addEventListener("pagehide", () => stream.close());
}

// Filters apply at once; without script there is the button.
for (const field of document.querySelectorAll(".filters form select, .filters form input[type=checkbox]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// What is shown of a story is remembered.
for (const box of document.querySelectorAll(".legend input")) {
  const kept = localStorage.getItem(box.id);
  if (kept !== null) { box.checked = kept === "1"; }
  box.addEventListener("change", () => localStorage.setItem(box.id, box.checked ? "1" : "0"));
}

// A name pointed at is shown wherever it occurs.
const light = (event, on) => {
  const entity = event.target.closest?.("[data-entity]")?.dataset.entity;
  for (const each of document.querySelectorAll("[data-entity]")) {
    each.classList.toggle("lit", on && entity !== undefined && each.dataset.entity === entity);
  }
};
document.addEventListener("pointerover", (event) => light(event, true));
document.addEventListener("focusin", (event) => light(event, true));

// "/" goes to the search; j and k go through the stories.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) { return; }
  if (event.key === "/") { event.preventDefault(); document.getElementById("q").focus(); }
  if (event.key === "j" || event.key === "k") {
    const links = Array.from(document.querySelectorAll(".stories h2 a"));
    const at = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    links[Math.max(0, Math.min(at, links.length - 1))]?.focus();
  }
});

const clock = document.querySelector(".clock");
if (clock) {
  setInterval(() => { clock.textContent = `${new Date().toISOString().slice(11, 16)} UTC`; }, 5000);
}

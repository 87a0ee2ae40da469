// What every page does: times in the reader's zone, keys, the form of choices, and its place in a pane beside the list.
const root = document.documentElement;
const inPane = window.parent !== window;
if (inPane) { root.classList.add("in-pane"); }
const ownEnglish = navigator.language.startsWith("en") ? navigator.language : "en-GB";
const locale = root.lang === "en" ? ownEnglish : root.lang;

// The words of an element's page language, with their places filled.
export const wordsOf = (element) => {
  const words = JSON.parse(element.dataset.words);
  return (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
};

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const zone = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const ages = new Intl.RelativeTimeFormat(locale, { style: "short", numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

const formatAge = (date) => {
  const seconds = (date - Date.now()) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) { return ages.format(Math.trunc(seconds / size), unit); }
  }
  return ages.format(0, "second");
};

// Server pages have times in UTC; a reader with script has them in his own zone, and their ages grow.
export const formatTimes = (within = document) => {
  const today = new Date().toDateString();
  for (const time of within.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime()) || time.matches(".clock")) { continue; }
    if (time.matches(".when")) {
      const old = date.toDateString() !== today;
      time.querySelector("b").textContent = old ? `${day.format(date)} ${clock.format(date)}` : clock.format(date);
      time.querySelector("span").textContent = formatAge(date);
      time.classList.toggle("old", old);
    } else if (time.textContent.trim().endsWith("UTC")) {
      time.title ||= time.textContent.trim();
      time.textContent = moment.format(date);
    }
  }
};

// One key, or g and then one key, does one thing. `addKeys` lets a page add its own.
const keys = new Map();
export const addKeys = (more) => { for (const [key, action] of Object.entries(more)) { keys.set(key, action); } };
let afterG = -Infinity;

const isTyping = (target) => target?.closest?.("input, select, textarea, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) { return; }
  if (document.querySelector("dialog[open]")) { return; }
  const name = event.timeStamp - afterG < 1500 && event.key !== "g" ? `g ${event.key}` : event.key;
  afterG = event.key === "g" ? event.timeStamp : -Infinity;
  const action = keys.get(name);
  if (action) {
    event.preventDefault();
    action(event);
  } else if (inPane && ["j", "k", "m", "n", ".", "p", "A", "Escape"].includes(event.key)) {
    window.parent.document.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
  }
});

const open = (path) => () => { (inPane ? window.parent : window).location.href = path; };
const help = document.getElementById("keys");
addKeys({
  "/": () => (inPane ? window.parent : window).document.getElementById("q")?.focus(),
  u: () => {
    const list = (inPane ? window.parent : window).document.querySelector("#list [aria-current] h2 a");
    if (list) { list.focus(); } else { open(sessionStorage.getItem("wiredesk.list") ?? "/")(); }
  },
  "?": () => help.showModal(),
  "g l": open("/"),
  "g f": open("/feeds"),
  "g s": open("/searches"),
});

// In a pane, what is no story opens in the whole window.
if (inPane) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && !link.target && !/^\/(stories|clusters|chains)\//.test(link.pathname)) { link.target = "_top"; }
  }, true);
}

// Choices apply at once; without script there is the button.
for (const field of document.querySelectorAll(".display select, .filters form :is(select, input[type=checkbox])")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
for (const button of document.querySelectorAll(".show-keys")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) { menu.open = false; }
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

const header = document.querySelector(".clock");
const tick = () => { if (header) { header.textContent = zone.format(new Date()); } };
tick();
formatTimes();
setInterval(tick, 5000);
setInterval(formatTimes, 30000);

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

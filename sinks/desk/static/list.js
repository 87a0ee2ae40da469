// The live list: what fits its query comes in by itself, once, and nothing else does.
import { addKeys, formatTimes, wordsOf } from "./desk.js";

const list = document.getElementById("list");
const bar = document.querySelector(".bar");
const word = wordsOf(bar);
const state = bar.querySelector(".state");
const live = bar.querySelector(".live");
const status = bar.querySelector("[role=status]");
const pauseButton = bar.querySelector(".pause");
const pageTitle = document.title;
// More rows than this and the list is fetched anew: a page that stays open all day would grow without end.
const MAX_ROWS = 300;
// Rows that wait: with more of them the list is fetched anew as well.
const MAX_HELD = 300;
const HIDDEN_MS = 60000; // after which a page in the background lets its connection go: browsers have six for a desk
const isLive = !("old" in list.dataset);

// A row says only what is not as it mostly is: a story of its own, received at its own time.
const readRow = (row) => {
  const link = row.querySelector("h2 a");
  row.dataset.uri ??= decodeURIComponent(link.getAttribute("href").replace("/stories/", ""));
  row.dataset.version ??= "";
  row.dataset.chain ??= row.dataset.uri;
  row.dataset.cluster ??= row.dataset.uri;
  row.dataset.received ??= row.querySelector(".when").dateTime;
  row.dataset.relation ??= "new";
  return row;
};
const rows = () => Array.from(list.querySelectorAll(":scope > .stories > .story"), readRow);
const keyOf = (row) => `${row.dataset.uri}|${row.dataset.version}`;
const kept = (name, fallback) => localStorage.getItem(`wiredesk.${name}`) ?? fallback;
const keep = (name, value) => localStorage.setItem(`wiredesk.${name}`, value);

// What has been read: stories that were opened, and all that were received before a moment.
const MAX_READ = 5000;
const readBefore = () => kept("readBefore", "");
let read = new Set(JSON.parse(kept("read", "[]")));
if (!readBefore()) { keep("readBefore", new Date().toISOString()); }

const isUnread = (row) => row.dataset.received > readBefore() && !read.has(keyOf(row));
const showRead = (row) => {
  const unread = isUnread(row);
  row.classList.toggle("unread", unread);
  const mark = row.querySelector("h2 .mark-unread");
  if (unread && !mark) {
    const dot = document.createElement("span");
    dot.className = "mark-unread";
    dot.setAttribute("role", "img");
    dot.setAttribute("aria-label", word("unread"));
    row.querySelector("h2").prepend(dot);
  } else if (!unread) { mark?.remove(); }
};
const keepRead = () => {
  read = new Set(Array.from(read).slice(-MAX_READ));
  keep("read", JSON.stringify(Array.from(read)));
};
const setRead = (row, isRead) => {
  if (isRead) { read.add(keyOf(row)); } else {
    read.delete(keyOf(row));
    if (row.dataset.received <= readBefore()) { return; }
  }
  keepRead();
  showRead(row);
};
const markAllRead = () => {
  keep("readBefore", rows().map((row) => row.dataset.received).concat(readBefore()).sort().at(-1));
  read.clear();
  keepRead();
  rows().forEach(showRead);
  status.textContent = word("allRead");
};
window.addEventListener("storage", (event) => {
  if (event.key === "wiredesk.read" || event.key === "wiredesk.readBefore") {
    read = new Set(JSON.parse(kept("read", "[]")));
    rows().forEach(showRead);
  }
});

// Rows that have come and are not shown yet.
let held = [];
let uncounted = 0; // of those that came when too many were held
let paused = false;
let lost = false;
let cursor = list.querySelector(".stories").dataset.cursor;
let source = null;

const isReading = () => window.scrollY > 200 || document.hidden || list.contains(document.activeElement);
const count = () => held.length + uncounted;

const showState = () => {
  const waiting = count();
  live.classList.toggle("lost", lost);
  live.classList.toggle("paused", paused);
  live.classList.toggle("waiting", waiting > 0);
  state.disabled = waiting === 0;
  const now = lost ? word("lost") : paused ? word("paused") : word("live");
  state.textContent = waiting ? `${paused || lost ? `${now}. ` : ""}${word("show", { n: waiting })}` : now;
  document.title = waiting ? `(${waiting}) ${pageTitle}` : pageTitle;
};

const withdraw = (row, text, kind) => {
  if (row.classList.contains(kind)) { return; }
  row.classList.add(kind);
  const mark = document.createElement("p");
  mark.className = `band ${kind}`;
  mark.textContent = text;
  row.querySelector("article").prepend(mark);
};

const insert = (row) => {
  const stories = list.querySelector(".stories");
  for (const other of rows()) {
    const same = (name) => row.dataset[name] && other.dataset[name] === row.dataset[name];
    if (same("uri") || (list.dataset.fold && same(list.dataset.fold))) { other.remove(); continue; }
    if (row.dataset.relation === "correction" && same("chain")) { withdraw(other, word("corrected"), "corrected"); }
  }
  list.querySelector(".empty")?.remove();
  row.classList.add("fresh");
  // By the story's own time, as the query orders them; else on top.
  const time = (other) => other.querySelector(".when").dateTime;
  const later = list.dataset.order === "newest" && rows().find((other) => time(other) <= time(row));
  if (later) { later.before(row); } else if (list.dataset.order === "newest") { stories.append(row); } else { stories.prepend(row); }
  showRead(row);
  formatTimes(row);
};

const refresh = async () => {
  const answer = await fetch(list.dataset.part, { credentials: "same-origin" });
  if (answer.redirected) { lost = true; state.textContent = word("closed"); state.disabled = false; return false; }
  if (!answer.ok) { return false; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.replaceChildren(...page.body.childNodes);
  cursor = list.querySelector(".stories").dataset.cursor;
  held = [];
  uncounted = 0;
  rows().forEach(showRead);
  formatTimes(list);
  connect();
  showState();
  return true;
};

const show = () => {
  if (uncounted || rows().length + held.length > MAX_ROWS) { refresh().catch(() => {}); return; }
  held.splice(0).forEach(insert);
  showState();
};

const arrive = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const row = readRow(holder.content.querySelector(".story"));
  const key = keyOf(row);
  const isSame = (other) => keyOf(other) === key;
  if (rows().some(isSame) || held.some(isSame)) { return; }
  held = held.filter((other) => other.dataset.uri !== row.dataset.uri);
  if (held.length < MAX_HELD && !uncounted) { held.push(row); } else { uncounted += 1; }
  alertReader(row);
  if (paused || isReading()) { showState(); } else { show(); }
};

// A kill is shown at once, whatever the list's query and even while it is paused, until the reader has seen it.
const seenKills = () => JSON.parse(kept("seenKills", "[]"));
const showKill = (kill) => {
  for (const row of [...rows(), ...held]) {
    if (row.dataset.chain === kill.chain && row.dataset.relation !== "kill") { withdraw(row, word("killed"), "killed"); }
  }
  const area = document.getElementById("killed");
  if (seenKills().includes(kill.uri) || area.querySelector(`[data-uri="${CSS.escape(kill.uri)}"]`)) { return; }
  const notice = document.getElementById("killed-row").content.firstElementChild.cloneNode(true);
  const link = notice.querySelector("a");
  link.href = kill.path;
  link.textContent = kill.headline || kill.uri;
  notice.dataset.uri = kill.uri;
  notice.setAttribute("role", "alert");
  notice.querySelector("button").addEventListener("click", () => {
    keep("seenKills", JSON.stringify([...seenKills(), kill.uri].slice(-200)));
    notice.remove();
  });
  area.append(notice);
  sound("urgent");
  notify("urgent", kill.headline || kill.uri, kill.path, kill.uri);
};

// A later version that does not fit the query: the one on the page is no longer what the query finds.
const leave = (change) => {
  held = held.filter((row) => row.dataset.uri !== change.uri);
  for (const row of rows()) {
    if (row.dataset.uri === change.uri) { withdraw(row, word("left"), "gone"); } else if (
      change.relation === "correction" && row.dataset.chain === change.chain) { withdraw(row, word("corrected"), "corrected"); }
  }
  showState();
};

let wait = 1000;
const connect = () => {
  source?.close();
  if (!isLive) { return; }
  const stream = new EventSource(`${list.dataset.stream}${encodeURIComponent(cursor)}`);
  source = stream;
  const on = (name, act) => stream.addEventListener(name, (event) => {
    if (stream !== source) { return; }
    cursor = event.lastEventId || cursor;
    act(JSON.parse(event.data));
  });
  on("message", arrive);
  on("kill", showKill);
  on("gone", leave);
  stream.addEventListener("open", () => { lost = false; wait = 1000; showState(); });
  stream.addEventListener("error", () => {
    if (stream !== source) { return; }
    lost = true;
    showState();
    if (stream.readyState === EventSource.CLOSED) { // a cursor that is too old, too many pages, or a session that has ended
      wait = Math.min(wait * 2, 60000);
      setTimeout(() => { if (stream === source) { refresh().catch(() => connect()); } }, wait);
    }
  });
};

const setPaused = (on) => {
  paused = on;
  pauseButton.setAttribute("aria-pressed", String(on));
  pauseButton.querySelector("span").textContent = word(on ? "resume" : "pause");
  pauseButton.querySelector("use").setAttribute("href", on ? "#i-play" : "#i-pause");
  if (on) { showState(); } else { show(); }
};

// Sound and notification, where the reader has chosen them on this device.
const wants = (name, level) => { const chosen = kept(name, "off"); return chosen === "all" || chosen === level; };
let audio = null;
const sound = (level) => {
  if (!wants("sound", level)) { return; }
  audio ??= new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: level === "urgent" ? 880 : 520 });
  const loudness = new GainNode(audio, { gain: 0.15 });
  tone.connect(loudness).connect(audio.destination);
  tone.start();
  loudness.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
  tone.stop(audio.currentTime + 0.4);
};
const notify = (level, text, path, tag) => {
  if (!wants("notify", level) || !("Notification" in window) || Notification.permission !== "granted") { return; }
  const notice = new Notification(text, { tag, body: pageTitle, dir: "auto", icon: "/static/desk.svg" });
  notice.addEventListener("click", () => { window.focus(); window.open(path, "_blank", "noopener"); });
};
const alertReader = (row) => {
  const level = row.matches(".urgent, .killed") ? "urgent" : "every";
  const link = row.querySelector("h2 a");
  sound(level);
  notify(level, link.textContent, link.href, row.dataset.uri);
};
for (const choice of bar.querySelectorAll(".alerts select")) {
  choice.value = kept(choice.name, "off");
  choice.addEventListener("change", async () => {
    keep(choice.name, choice.value);
    if (choice.value === "off") { return; }
    if (choice.name === "sound") { sound("urgent"); } else if (await Notification.requestPermission() !== "granted") {
      keep(choice.name, choice.value = "off");
      status.textContent = word("denied");
    }
  });
}

// Other versions and reports of a row, below it.
const unfold = async (link) => {
  const row = link.closest(".story");
  const open = link.getAttribute("aria-expanded") === "true";
  row.querySelector(".others")?.remove();
  row.querySelectorAll(".expand").forEach((other) => other.setAttribute("aria-expanded", "false"));
  if (open) { return; }
  const answer = await fetch(`${link.getAttribute("href")}?part=list`, { credentials: "same-origin" });
  if (!answer.ok) { location.href = link.href; return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const others = document.createElement("div");
  others.className = "others";
  others.append(...page.querySelectorAll(".stories"));
  formatTimes(others);
  row.append(others);
  link.setAttribute("aria-expanded", "true");
};

// The story beside the list, on screens with room for both.
const pane = document.querySelector(".pane");
const wide = window.matchMedia("(min-width: 75rem)");
const panesButton = bar.querySelector(".panes");
const isPaned = () => pane !== null && wide.matches && kept("panes", "off") === "on";
const showPane = () => {
  const on = isPaned();
  panesButton.hidden = pane === null || !wide.matches;
  panesButton.setAttribute("aria-pressed", String(on));
  if (pane) { pane.hidden = !on; document.querySelector(".columns").classList.toggle("paned", on); }
};
const openInPane = (link) => {
  let frame = pane.querySelector("iframe");
  if (frame) { frame.contentWindow.location.replace(link.href); } else {
    frame = document.createElement("iframe");
    frame.title = pane.getAttribute("aria-label");
    frame.src = link.href;
    pane.append(frame);
  }
  list.querySelectorAll(".story[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
  link.closest(".story").setAttribute("aria-current", "true");
};
const setPaned = (on) => { keep("panes", on ? "on" : "off"); showPane(); };

list.addEventListener("click", (event) => {
  const expand = event.target.closest("a.expand");
  const link = event.target.closest("h2 a");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (expand && plain) { event.preventDefault(); unfold(expand).catch(() => { location.href = expand.href; }); }
  if (link) {
    setRead(readRow(link.closest(".story")), true);
    if (plain && isPaned()) { event.preventDefault(); openInPane(link); }
  }
});
list.addEventListener("auxclick", (event) => {
  const link = event.target.closest("h2 a");
  if (link && event.button === 1) { setRead(readRow(link.closest(".story")), true); }
});

const here = () => document.activeElement.closest?.("#list .story") ?? list.querySelector(".story[aria-current]");
const step = (by) => {
  const links = Array.from(list.querySelectorAll(".story h2 a"));
  const at = links.indexOf(here()?.querySelector("h2 a"));
  const link = links[Math.max(0, Math.min(at + by, links.length - 1))];
  link?.focus();
  if (link && isPaned()) { openInPane(link); setRead(readRow(link.closest(".story")), true); }
};
addKeys({
  j: () => step(1),
  k: () => step(-1),
  o: () => here()?.querySelector("h2 a").click(),
  m: () => { const row = here(); if (row) { setRead(readRow(row), row.classList.contains("unread")); } },
  A: markAllRead,
  e: () => here()?.querySelector(".expand")?.click(),
  ".": () => setPaused(!paused),
  n: () => { window.scrollTo({ top: 0 }); show(); },
  p: () => setPaned(!isPaned()),
  Escape: () => { if (isPaned()) { setPaned(false); } },
});

// Feeds that are too many for a list of choices are offered while one types.
const feeds = document.getElementById("feeds");
document.querySelector("input[list=feeds]")?.addEventListener("input", async (event) => {
  const answer = await fetch(`/suggest/feeds?begin=${encodeURIComponent(event.target.value)}`, { credentials: "same-origin" });
  if (answer.ok) {
    feeds.replaceChildren(...(await answer.json()).feeds.map((feed) => new Option(feed.title, feed.id)));
  }
});

if (pane) { sessionStorage.setItem("wiredesk.list", location.pathname + location.search); }
bar.hidden = false;
rows().forEach(showRead);
showPane();
showState();
connect();
state.addEventListener("click", () => {
  if (lost && !count()) { location.reload(); return; }
  window.scrollTo({ top: 0 });
  show();
});
pauseButton.addEventListener("click", () => setPaused(!paused));
bar.querySelector(".read").addEventListener("click", markAllRead);
panesButton.addEventListener("click", () => setPaned(!isPaned()));
wide.addEventListener("change", showPane);
bar.querySelector(".ticker")?.addEventListener("click", (event) => {
  if (window.open(event.currentTarget.href, "wiredesk-ticker", "popup,width=440,height=720")) { event.preventDefault(); }
});
let resting = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.hidden) {
    const rests = kept("sound", "off") === "off" && kept("notify", "off") === "off";
    if (rests) { resting = setTimeout(() => { source?.close(); source = null; }, HIDDEN_MS); }
    return;
  }
  if (!source) { connect(); }
  if (count() && !paused && !isReading()) { show(); }
});
window.addEventListener("pagehide", () => { source?.close(); source = null; });
window.addEventListener("pageshow", (event) => { if (event.persisted) { connect(); } });

// Alerts of saved searches as notices of the browser, by choice: one page of a browser follows the stream for all.

const CHOICE = "wiredesk-notices";
const CURSOR = "wiredesk-notices-after";
const store = { get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* a browser that keeps nothing */ } } };
const isOn = () => store.get(CHOICE) === "on" && "Notification" in window && Notification.permission === "granted";

function show(event) {
  store.set(CURSOR, event.lastEventId);
  const message = JSON.parse(event.data);
  const story = message.stories[0];
  const notice = new Notification(message.title, {
    body: message.kind === "digest" ? message.stories.map((one) => one.headline ?? one.uri).slice(0, 5).join("\n") : story?.lead ?? "",
    tag: message.id, requireInteraction: message.kind === "kill",
  });
  notice.onclick = () => {
    window.focus();
    location.href = message.kind === "digest" || !story
      ? `/?q=${encodeURIComponent(message.search.query)}` : `/stories/${encodeURIComponent(story.uri)}`;
  };
}

function follow() {
  return new Promise((resolve) => {
    const after = store.get(CURSOR);
    const stream = new EventSource(`/api/alerts/stream${after ? `?after=${encodeURIComponent(after)}` : ""}`);
    stream.onmessage = (event) => { if (isOn()) show(event); else { stream.close(); resolve(); } };
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) resolve(); };
  });
}

function start() {
  if (!isOn() || !navigator.locks) return;
  navigator.locks.request("wiredesk-notices", follow);
}

const button = document.querySelector("button.notify");
if (button && "Notification" in window) {
  const label = () => { button.textContent = isOn() ? button.dataset.off : button.dataset.on; button.setAttribute("aria-pressed", isOn()); };
  button.hidden = false;
  label();
  button.addEventListener("click", async () => {
    if (isOn()) store.set(CHOICE, "off");
    else if (await Notification.requestPermission() === "granted") { store.set(CHOICE, "on"); start(); }
    label();
  });
}
start();

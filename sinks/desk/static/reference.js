// Sends an operation of the API as its form says, and shows what comes.
const MAX_SHOWN_CHARS = 200000;

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = form.querySelector(".answer-status");
    const shown = form.querySelector("pre");
    const { method, type, stream } = form.dataset;
    let path = form.dataset.path;
    const query = new URLSearchParams();
    let body;
    for (const field of form.querySelectorAll("input, textarea")) {
      if (field.dataset.where === "path") {
        path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      } else if (field.dataset.where === "body") {
        body = field.value;
      } else if (field.value) {
        query.set(field.name, field.value);
      }
    }
    const address = query.size ? `${path}?${query}` : path;
    if (stream) { window.open(address, "_blank", "noopener"); return; }
    status.textContent = "…";
    try {
      const answer = await fetch(address, { method, body, headers: type ? { "Content-Type": type } : {} });
      const text = await answer.text();
      status.textContent = `${answer.status} ${answer.statusText}`;
      shown.textContent = text.slice(0, MAX_SHOWN_CHARS);
    } catch (error) {
      status.textContent = String(error);
      shown.textContent = "";
    }
    shown.hidden = !shown.textContent;
  });
}

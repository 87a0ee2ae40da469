// Copying a story: what the links lead to goes to the clipboard; without script they are links.
const copy = async (link, text) => {
  const told = document.querySelector(".copied");
  try {
    await navigator.clipboard.writeText(await text());
    told.textContent = link.dataset.copied;
  } catch {
    told.textContent = link.dataset.failed;
  }
};

for (const link of document.querySelectorAll(".copy-form")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    copy(link, async () => {
      const answer = await fetch(link.href, { credentials: "same-origin" });
      if (!answer.ok) { throw new Error(answer.statusText); }
      return answer.text();
    });
  });
}

for (const link of document.querySelectorAll(".copy-link")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    copy(link, () => link.href);
  });
}

// What scripts add to pages that are right without them: local times, countdowns, keys. Reads attributes only.
(() => {
  "use strict";

  const two = (number) => String(number).padStart(2, "0");

  function left(milliseconds) {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  }

  function tick(root) {
    for (const time of root.querySelectorAll("time[data-left]")) {
      const rest = Date.parse(time.dateTime) - Date.now();
      time.textContent = rest > 0 ? `${left(rest)} left` : "time is up";
    }
    for (const time of root.querySelectorAll("time[data-clock]")) {
      time.textContent = left(Date.parse(time.dateTime) - Date.now());
    }
    for (const bar of root.querySelectorAll("progress[data-from][data-until]")) {
      const [from, until] = [Date.parse(bar.dataset.from), Date.parse(bar.dataset.until)];
      bar.max = until - from;
      bar.value = Math.max(0, until - Date.now());
    }
  }

  // The reader's own zone, with UTC in brackets: what is printed is evidence.
  function localise(root) {
    for (const time of root.querySelectorAll("time[data-moment]")) {
      const [at, utc] = [new Date(time.dateTime), time.textContent];
      const today = at.toDateString() === new Date().toDateString();
      const short = today || time.dataset.moment === "short";
      const style = short ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
      time.textContent = at.toLocaleString([], { ...style, hourCycle: "h23" });
      time.title ||= utc;
      time.removeAttribute("data-moment");
    }
  }

  function prepare(root) {
    localise(root);
    for (const field of root.querySelectorAll("input[data-offset]")) field.value = new Date().getTimezoneOffset();
    for (const zone of root.querySelectorAll("[data-zone]")) zone.textContent = "your time";
    for (const button of root.querySelectorAll("button[data-unscripted]")) button.remove();
    tick(root);
  }

  // A long list of choices by its words. What is ticked stays in sight.
  function filter(field) {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = field.closest("fieldset");
    for (const choice of list.querySelectorAll("label.check")) {
      const text = choice.textContent.toLowerCase();
      choice.hidden = !choice.querySelector("input").checked && !words.every((word) => text.includes(word));
    }
    for (const more of list.querySelectorAll("details")) more.open = words.length > 0;
  }

  const places = { c: "/", o: "/open", t: "/tenants", p: "/people" };
  let before = "";

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) typing.blur();
    if (event.key === "Enter" && event.target.matches("input[data-filter]")) event.preventDefault();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("input[type=search]");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    }
    const place = before === "g" && document.querySelector(`nav a[href="${places[event.key] ?? ""}"]`);
    if (place) place.click();
    before = event.key;
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("input[data-filter]")) filter(event.target);
    if (event.target.name === "until") document.querySelector('input[name="length"][value="until"]').checked = true;
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  });

  document.addEventListener("htmx:after:swap", () => prepare(document));
  document.addEventListener("htmx:after:settle", () => prepare(document));
  setInterval(() => tick(document), 1000);
  prepare(document);
})();

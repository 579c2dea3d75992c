// What HTML and htmx don't do by themselves: clocks that tick, logs that follow, fields that are ready for the next line.
"use strict";

(() => {
  const $ = (selector) => document.querySelector(selector);
  const two = (number) => String(number).padStart(2, "0");

  // --- clocks: the sandbox's time is what the server said, plus what has passed here since ---

  const seen = new WeakMap(); // element -> [what the server said, when it was seen here]

  const nowOf = (element, said) => {
    const known = seen.get(element);
    if (!known || known[0] !== said) seen.set(element, [said, performance.now()]);
    return Number(said) + performance.now() - seen.get(element)[1];
  };

  const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });

  const showNow = (element) => {
    const at = new Date(nowOf(element, element.dataset.now));
    const text = `${day.format(at).replace(",", "")}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    if (element.textContent !== text) element.textContent = text;
  };

  const showLeft = (element) => {
    const left = Math.max(0, Math.floor((Number(element.dataset.until) - nowOf(element, element.dataset.at)) / 1000));
    if (element.tagName === "PROGRESS") element.value = left;
    else element.textContent = `${two(Math.floor(left / 3600))}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    if (left === 0 && !element.dataset.over) {
      element.dataset.over = "yes";
      htmx.trigger(document.body, "changed");
    }
  };

  const tick = () => {
    document.querySelectorAll("[data-now]").forEach(showNow);
    document.querySelectorAll("[data-until]").forEach(showLeft);
  };

  // --- logs follow what is new ---

  const newest = new WeakMap();

  const follow = () => {
    for (const log of document.querySelectorAll(".log")) {
      const last = log.lastElementChild ? log.lastElementChild.id : "";
      if (newest.get(log) !== last) log.scrollTop = log.scrollHeight;
      newest.set(log, last);
    }
  };

  const settle = () => {
    tick();
    follow();
  };

  // --- whether the page is live ---

  const live = (is) => {
    $("#live").classList.toggle("on", is);
    $("#live-text").textContent = is ? "live" : "reconnecting";
  };
  document.addEventListener("htmx:sseOpen", () => live(true));
  document.addEventListener("htmx:sseError", () => live(false));
  document.addEventListener("htmx:sseClose", () => live(false));

  // --- forms ---

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target;
    if (!event.detail.successful || !(form instanceof HTMLFormElement) || !form.hasAttribute("data-again")) return;
    for (const field of form.querySelectorAll("textarea")) {
      if (field === document.activeElement) field.select(); // elsewhere it would bring up a phone's keyboard
    }
  });

  document.addEventListener("htmx:sendError", (event) => {
    const target = event.detail.target;
    if (target && target.classList.contains("notices")) target.textContent = "The gateway can’t be reached.";
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches("[data-enter]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });

  document.addEventListener("change", (event) => {
    if (event.target.form === $("#who")) $("#who").requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    const sheet = event.key === "Escape" && event.target.closest("details[open]");
    if (!sheet) return;
    sheet.open = false;
    sheet.querySelector("summary").focus();
  });

  document.addEventListener("click", (event) => {
    for (const sheet of document.querySelectorAll("details.pop[open]")) {
      if (!sheet.contains(event.target)) sheet.open = false;
    }
  });

  document.addEventListener("htmx:afterSwap", settle);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("DOMContentLoaded", settle);
  setInterval(tick, 500);
})();

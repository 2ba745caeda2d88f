"use strict";

// What changed is said once to those who do not see it, and stands in the title of the window.
(() => {
  const title = document.title;
  const tell = (live, before) => {
    const count = live.querySelector("#open .count, #offers") ? live.querySelectorAll("section .card form").length : 0;
    document.title = count ? `(${count}) ${title}` : title;
    if (before !== undefined && live.dataset.said !== before) {
      document.getElementById("said").textContent = live.dataset.said;
    }
  };
  let said;
  const look = () => {
    const live = document.getElementById("live");
    if (!live) return;
    tell(live, said);
    said = live.dataset.said;
  };
  document.addEventListener("DOMContentLoaded", look);
  document.addEventListener("htmx:afterSettle", look);
  // Nobody reads a hidden page; when it is shown again it asks at the next beat.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault();
  });
  // A second tap while the first is on its way would do it again.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(document.body.dataset.worker).catch(() => {});
  }
})();

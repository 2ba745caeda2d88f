"use strict";

// Printing needs a script; the button shows only where there is one. So do dates of a period of one's own.
(() => {
  const ready = () => {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
    for (const button of document.querySelectorAll(".filters .go")) button.hidden = true;
    const period = document.getElementById("f-period");
    if (!period) return;
    for (const part of document.querySelectorAll(".filters .custom")) {
      part.hidden = period.value !== "custom";
      for (const input of part.querySelectorAll("input")) input.disabled = part.hidden;
    }
  };
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("htmx:afterSettle", ready);
  // Before htmx asks: what is hidden is not sent.
  document.addEventListener("change", ready, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  // On paper everything is open.
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details.data")) part.open = true;
  });
})();

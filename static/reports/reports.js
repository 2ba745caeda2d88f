"use strict";

// Printing needs a script; the button shows only where there is one. So do dates of a period of one's own.
(() => {
  // On a phone the filters would be all that is seen: they are folded away, and how many are set is said.
  const fold = () => {
    const button = document.querySelector("[data-fold]");
    if (!button) return;
    const more = document.getElementById(button.getAttribute("aria-controls"));
    const set = [...more.querySelectorAll("select, input")].filter((field) =>
      field.type === "checkbox" ? field.checked : field.name !== "zone" && field.selectedIndex > 0).length;
    button.textContent = set ? `${button.dataset.words} (${set})` : button.dataset.words;
    if (!button.dataset.ready) {
      button.dataset.ready = "1";
      open(button, more, false);
      button.addEventListener("click", () => open(button, more, "folded" in more.dataset));
    }
  };
  const open = (button, more, isOpen) => {
    button.setAttribute("aria-expanded", isOpen);
    if (isOpen) delete more.dataset.folded;
    else more.dataset.folded = "";
  };
  const ready = () => {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
    for (const button of document.querySelectorAll(".filters .go")) button.hidden = true;
    fold();
    const period = document.getElementById("f-period");
    if (!period) return;
    for (const part of document.querySelectorAll(".filters .custom")) {
      part.hidden = period.value !== "custom";
      for (const input of part.querySelectorAll("input")) input.disabled = part.hidden;
    }
  };
  // A day does not fit on a phone: its busiest hours are seen first, not the night.
  const busiest = () => {
    for (const table of document.querySelectorAll(".heat")) {
      const frame = table.closest(".scroll");
      const heads = [...table.querySelectorAll("thead th")];
      if (frame.scrollWidth <= frame.clientWidth || frame.dataset.ready || heads.length < 3) continue;
      frame.dataset.ready = "1";
      const wide = heads[2].offsetLeft - heads[1].offsetLeft;
      const fit = Math.max(1, Math.floor((frame.clientWidth - heads[0].offsetWidth) / wide));
      const weights = heads.slice(1).map((_head, hour) => [...table.querySelectorAll("tbody tr")].reduce(
        (sum, row) => sum + Number((/^h(\d)/.exec(row.cells[hour + 1].className) || [0, 0])[1]), 0));
      let best = 0, most = -1;
      for (let hour = 0; hour + fit <= weights.length; hour += 1) {
        const sum = weights.slice(hour, hour + fit).reduce((all, weight) => all + weight, 0);
        if (sum > most) [best, most] = [hour, sum];
      }
      frame.scrollLeft = best * wide;
    }
  };
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("DOMContentLoaded", busiest);
  document.addEventListener("htmx:afterSettle", busiest);
  document.addEventListener("DOMContentLoaded", () => {
    const here = document.querySelector(".tabs [aria-current]");
    if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 12;
  });
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

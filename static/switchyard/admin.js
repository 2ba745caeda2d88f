// Comforts on top of pages that work without them.
"use strict";

document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copies]");
    if (copier) {
        navigator.clipboard.writeText(document.getElementById(copier.dataset.copies).textContent.trim());
    }
    for (const open of document.querySelectorAll(".sy-switcher[open]")) {
        if (!open.contains(event.target)) {
            open.open = false;
        }
    }
});

document.addEventListener("keydown", (event) => {
    const open = document.querySelector(".sy-switcher[open]");
    if (open && event.key === "Escape") {
        open.open = false;
        open.querySelector("summary").focus();
    }
});

document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-copies]")) {
        button.hidden = false;
    }
});

// Comforts on top of pages that work without them.
"use strict";

document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copies]");
    if (copier) {
        navigator.clipboard.writeText(document.getElementById(copier.dataset.copies).textContent.trim());
    }
    const adder = event.target.closest("[data-add-row]");
    if (adder) {
        addCondition(adder.closest("[data-conditions]"));
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
    for (const button of document.querySelectorAll("[data-copies], [data-add-row]")) {
        button.hidden = false;
    }
});

function addCondition(conditions) {
    const total = conditions.querySelector("[name$=-TOTAL_FORMS]");
    const rows = conditions.querySelector("[data-rows]");
    const template = conditions.querySelector("[data-empty-row]").innerHTML;
    const last = rows.querySelector(".sy-condition:last-child [name$=-group]");
    rows.insertAdjacentHTML("beforeend", template.replaceAll("__prefix__", total.value));
    total.value = Number(total.value) + 1;
    const row = rows.lastElementChild;
    if (last) {
        row.querySelector("[name$=-group]").value = last.value;
    }
    row.querySelector("select").focus();
}

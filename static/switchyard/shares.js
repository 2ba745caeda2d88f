// The share that each weight means, while weights are typed.
"use strict";

function showShares(part) {
    const rows = [...part.querySelectorAll(".form-row")].map((row) => ({
        shown: row.querySelector("[data-share]"),
        weight: row.querySelector("input[name$=-weight]"),
        counts: Boolean(row.querySelector("input[name$=-agent]")?.value.trim())
            && !row.querySelector("input[name$=-DELETE]")?.checked
            && !row.querySelector("[data-share] + .sy-quiet")?.textContent.trim()
            && !row.closest(".empty-form"),
    })).filter(({ shown, weight }) => shown && weight);
    const total = rows.reduce((sum, { weight, counts }) => sum + (counts ? Number(weight.value) || 0 : 0), 0);
    for (const { shown, weight, counts } of rows) {
        shown.textContent = counts && total ? `${Math.round(((Number(weight.value) || 0) * 100) / total)} %` : "";
    }
}

document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-shares]")) {
        for (const kind of ["input", "change", "click"]) {
            part.addEventListener(kind, () => setTimeout(showShares, 0, part));
        }
    }
});

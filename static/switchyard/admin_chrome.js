// Names for the theme's search boxes, which say nothing about themselves.
"use strict";

function nameSearchBox(box) {
    const label = box.parentElement.querySelector("select")?.labels[0];
    const shown = box.querySelector(".select2-selection__rendered");
    if (label && shown) {
        label.id ||= `${label.htmlFor}_label`;
        box.querySelector(".select2-selection").setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
        shown.setAttribute("aria-label", label.textContent.trim());
    }
}

new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node.classList?.contains("select2-container")) {
            nameSearchBox(node);
        }
    }
}).observe(document.documentElement, { childList: true, subtree: true });

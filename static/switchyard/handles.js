// Says while a handle is typed whether it is one, and what it opens.
"use strict";

function watchHandles(part) {
    let asked = 0;
    const timers = new WeakMap();

    async function check(row) {
        const channel = row.querySelector("select[name$=-channel]");
        const value = row.querySelector("input[name$=-value]");
        const said = row.querySelector("[data-handle]");
        if (!channel?.value || !value.value.trim()) {
            said.textContent = "";
            said.classList.remove("sy-error");
            return;
        }
        const turn = (asked += 1);
        row.dataset.asked = turn;
        const query = new URLSearchParams({ channel: channel.value, value: value.value });
        const response = await fetch(`${part.dataset.handles}?${query}`, { headers: { Accept: "application/json" } });
        if (!response.ok || row.dataset.asked !== String(turn)) {
            return;
        }
        const { error, link, value: normal } = await response.json();
        said.replaceChildren();
        said.classList.toggle("sy-error", Boolean(error));
        if (link) {
            const anchor = Object.assign(document.createElement("a"), { href: link, target: "_blank", rel: "noopener noreferrer", textContent: link });
            said.append(anchor);
        } else {
            said.textContent = error || normal;
        }
    }

    for (const kind of ["input", "change"]) {
        part.addEventListener(kind, (event) => {
            const row = event.target.closest(".form-row");
            if (row?.querySelector("[data-handle]")) {
                clearTimeout(timers.get(row));
                timers.set(row, setTimeout(() => check(row), 300));
            }
        });
    }
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-handles]").forEach(watchHandles));

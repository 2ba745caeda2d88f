// Comforts for rules: conditions that come and go, and an order that is dragged. Everything works without, by buttons.
"use strict";

(() => {
    document.documentElement.classList.add("sy-with-script");

    function changed() {
        document.getElementById("rule_form")?.dispatchEvent(new Event("sy:changed"));
    }

    function newRow(conditions, number) {
        const total = conditions.querySelector("[name$=-TOTAL_FORMS]");
        const holder = document.createElement("div");
        holder.innerHTML = conditions.querySelector("[data-empty-row]").innerHTML.replaceAll("__prefix__", total.value);
        total.value = Number(total.value) + 1;
        const row = holder.firstElementChild;
        row.querySelector("[name$=-group]").value = number;
        return row;
    }

    function addRow(set) {
        const row = newRow(set.closest("[data-conditions]"), set.dataset.set);
        set.querySelector("[data-rows]").append(row);
        htmx.process(row);
        row.querySelector("select").focus();
    }

    function addSet(conditions) {
        const numbers = [...conditions.querySelectorAll("[data-set]")].map((set) => Number(set.dataset.set));
        const holder = document.createElement("div");
        holder.innerHTML = conditions.querySelector("[data-empty-set]").innerHTML;
        const set = holder.firstElementChild;
        set.dataset.set = Math.max(0, ...numbers) + 1;
        conditions.querySelector("[data-sets]").append(set);
        addRow(set);
    }

    function removeRow(row) {
        const set = row.closest("[data-set]");
        const conditions = row.closest("[data-conditions]");
        const box = row.querySelector("[name$=-DELETE]");
        // It stays in the form, marked, so that the rows after it keep their numbers.
        if (box) {
            box.checked = true;
        }
        row.hidden = true;
        const left = [...set.querySelectorAll(".sy-condition")].filter((one) => !one.hidden);
        if (!left.length) {
            set.hidden = true;
        }
        (left[0]?.querySelector("select") || conditions.querySelector("[data-add-set]")).focus();
        changed();
    }

    document.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) {
            return;
        }
        if (button.matches("[data-add-row]")) {
            addRow(button.closest("[data-set]"));
        } else if (button.matches("[data-add-set]")) {
            addSet(button.closest("[data-conditions]"));
        } else if (button.matches("[data-remove-row]")) {
            removeRow(button.closest(".sy-condition"));
        } else if (button.matches("[data-place]")) {
            const place = document.querySelector("[name=place]");
            place.value = button.dataset.place;
            place.focus();
            changed();
        }
    });

    // Enter in a field of the trial tries the lead; it does not save the rule.
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target.matches("#rule_form .sy-try input")) {
            event.preventDefault();
            changed();
        }
    });

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-drag]").forEach(makeDraggable));

    // Not earlier: until then the theme hides the page, and what is hidden takes no focus.
    window.addEventListener("load", () => {
        const moved = document.getElementById(location.hash.slice(1));
        if (moved?.matches(".sy-rule-list button")) {
            (moved.disabled ? moved.closest("li").querySelector("button:not([disabled])") : moved)?.focus();
        }
    });

    function makeDraggable(list) {
        for (const grip of list.querySelectorAll(".sy-grip")) {
            // By pointer, so that a finger drags as well as a mouse.
            grip.addEventListener("pointerdown", (event) => {
                event.preventDefault();
                drag(list, grip.closest("li"));
            });
        }
    }

    function drag(list, row) {
        const until = new AbortController();
        // Of the document: a row that is put elsewhere loses what it had captured.
        const on = (name, act) => document.addEventListener(name, act, { signal: until.signal });
        row.classList.add("sy-dragged");
        on("pointermove", (event) => {
            const rows = [...list.children];
            const over = rows.find((one) => {
                const place = one.getBoundingClientRect();
                return one !== row && event.clientY >= place.top && event.clientY < place.bottom;
            });
            if (over) {
                const place = over.getBoundingClientRect();
                const isAbove = rows.indexOf(over) < rows.indexOf(row);
                const isPast = event.clientY < place.top + place.height / 2;
                if (isAbove === isPast) {
                    over[isAbove ? "before" : "after"](row);
                }
            }
        });
        on("pointercancel", () => location.reload());
        on("pointerup", () => {
            until.abort();
            row.classList.remove("sy-dragged");
            keepOrder(list, row);
        });
    }

    function keepOrder(list, row) {
        const form = list.closest("form");
        const order = [...list.children].map((one) => one.dataset.rule).join(",");
        if (order !== form.elements.seen.value) {
            form.elements.order.value = order;
            form.elements.moved.value = row.dataset.rule;
            const keep = form.querySelector("[data-keep-order]");
            keep.hidden = false;
            form.requestSubmit(keep);
        }
    }
})();

// A list of which several may be chosen, as chips and a field that searches it. Without script it is the list itself.
"use strict";

(() => {
    let count = 0;

    function enhance(select) {
        if (select.dataset.picked) {
            return;
        }
        select.dataset.picked = "yes";
        select.hidden = true;
        count += 1;
        const listId = `sy-pick-${count}`;
        const box = element("div", "sy-pick");
        const chips = element("ul", "sy-chips");
        const input = element("input", "sy-control");
        const list = element("ul", "sy-pick-list");
        Object.assign(input, { type: "text", placeholder: select.dataset.pick, autocomplete: "off" });
        const label = document.querySelector(`label[for="${select.id}"]`);
        const name = label ? label.textContent.trim() : select.dataset.pick;
        set(input, { role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", "aria-label": `${name}: ${select.dataset.pick}` });
        set(list, { id: listId, role: "listbox", "aria-label": name });
        list.hidden = true;
        box.append(chips, input, list);
        select.after(box);
        if (label) {
            input.id = `${select.id}_search`;
            label.htmlFor = input.id;
        }
        let marked = -1;

        const options = () => [...select.options].filter((option) => option.value);

        function showChips() {
            chips.replaceChildren(
                ...options()
                    .filter((option) => option.selected)
                    .map((option) => {
                        const chip = element("li", "sy-chip");
                        const remove = element("button", "");
                        set(remove, { type: "button", "aria-label": `${option.text} ×` });
                        remove.append(symbol("close"));
                        remove.addEventListener("click", () => {
                            choose(option, false);
                            input.focus();
                        });
                        chip.append(...face(option), remove);
                        return chip;
                    }),
            );
            chips.hidden = !chips.children.length;
        }

        function choose(option, selected) {
            option.selected = selected;
            input.value = "";
            showChips();
            close();
            select.dispatchEvent(new Event("change", { bubbles: true }));
        }

        function open() {
            const typed = fold(input.value);
            const found = options()
                .filter((option) => !option.selected && (fold(option.text).includes(typed) || fold(option.value) === typed))
                .sort((a, b) => rank(a, typed) - rank(b, typed))
                .slice(0, 60);
            list.replaceChildren(
                ...found.map((option, place) => {
                    const item = element("li", "");
                    set(item, { role: "option", id: `${listId}-${place}`, "aria-selected": "false" });
                    item.append(...face(option));
                    item.addEventListener("mousedown", (event) => {
                        event.preventDefault();
                        choose(option, true);
                        input.focus();
                    });
                    item.option = option;
                    return item;
                }),
            );
            list.hidden = !found.length;
            input.setAttribute("aria-expanded", String(!list.hidden));
            mark(typed && found.length ? 0 : -1);
        }

        function close() {
            list.hidden = true;
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
            marked = -1;
        }

        function mark(place) {
            const items = [...list.children];
            items.forEach((item, at) => item.setAttribute("aria-selected", String(at === place)));
            marked = place;
            if (items[place]) {
                items[place].scrollIntoView({ block: "nearest" });
                input.setAttribute("aria-activedescendant", items[place].id);
            } else {
                input.removeAttribute("aria-activedescendant");
            }
        }

        input.addEventListener("input", (event) => {
            event.stopPropagation();
            open();
        });
        input.addEventListener("change", (event) => event.stopPropagation());
        input.addEventListener("click", open);
        input.addEventListener("blur", close);
        input.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                event.preventDefault();
                if (list.hidden) {
                    open();
                }
                const size = list.children.length;
                mark(size ? (marked + (event.key === "ArrowDown" ? 1 : size - (marked < 0 ? 0 : 1)) + (marked < 0 && event.key === "ArrowUp" ? -1 : 0) + size) % size : -1);
            } else if (event.key === "Enter") {
                // Never the whole form: that is what the button is for.
                event.preventDefault();
                if (!list.hidden && list.children[marked]) {
                    choose(list.children[marked].option, true);
                }
            } else if (event.key === "Escape") {
                close();
            } else if (event.key === "Backspace" && !input.value) {
                const last = options().filter((option) => option.selected).pop();
                if (last) {
                    choose(last, false);
                }
            }
        });
        showChips();
    }

    function rank(option, typed) {
        return fold(option.text).startsWith(typed) ? 0 : 1;
    }

    function face(option) {
        const parts = [];
        if (option.dataset.image) {
            const flag = element("img", "sy-flag-image");
            set(flag, { src: option.dataset.image, alt: "", width: "16", height: "11" });
            parts.push(flag);
        }
        if (option.dataset.icon) {
            parts.push(symbol(option.dataset.icon));
        }
        const text = element("span", "");
        text.textContent = option.text;
        return [...parts, text];
    }

    function fold(text) {
        return text.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();
    }

    function symbol(name) {
        const made = element("span", "material-symbols-outlined");
        made.setAttribute("aria-hidden", "true");
        made.textContent = name;
        return made;
    }

    function element(tag, classes) {
        const made = document.createElement(tag);
        made.className = classes;
        return made;
    }

    function set(node, attributes) {
        for (const [name, value] of Object.entries(attributes)) {
            node.setAttribute(name, value);
        }
    }

    function enhanceAll(root) {
        for (const select of root.querySelectorAll("select[multiple][data-pick]")) {
            if (!select.closest("template")) {
                enhance(select);
            }
        }
    }

    document.addEventListener("DOMContentLoaded", () => enhanceAll(document));
    document.addEventListener("htmx:load", (event) => enhanceAll(event.target.parentElement || document));
})();

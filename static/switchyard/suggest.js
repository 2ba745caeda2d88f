// Fields whose suggestions are too many for the page: it asks for those that hold what is typed.
"use strict";

(() => {
    const PAUSE_MS = 150;

    function suggest(field) {
        let waits = 0;
        let asked = null;

        async function ask() {
            asked?.abort();
            asked = new AbortController();
            const address = new URL(field.dataset.suggest, document.baseURI);
            address.searchParams.set("q", field.value);
            try {
                const response = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
                if (response.ok) {
                    field.list.replaceChildren(...(await response.json()).names.map(option));
                }
            } catch {
                // Without suggestions the field still takes a name.
            }
        }

        field.addEventListener("input", () => {
            clearTimeout(waits);
            waits = setTimeout(ask, PAUSE_MS);
        });
        field.addEventListener("focus", ask, { once: true });
    }

    function option(name) {
        const made = document.createElement("option");
        made.value = name;
        return made;
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-suggest]").forEach(suggest));
})();

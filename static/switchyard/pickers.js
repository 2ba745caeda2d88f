// Lines of names become pieces that are added from a list and taken off one by one. The line itself is what is sent.
"use strict";

function pieces(text) {
    return text.split(/[,;\n](?![^(]*\))/).map((piece) => piece.trim()).filter(Boolean);
}

function makePicker(line) {
    const marks = new Map([...line.list.options].map((option) => [option.value, option.label === option.value ? "" : option.label]));
    const box = document.createElement("div");
    box.className = "sy-pieces";
    const typed = document.createElement("input");
    typed.type = "text";
    typed.id = line.id;
    typed.autocomplete = "off";
    typed.setAttribute("list", line.list.id);
    if (line.getAttribute("aria-describedby")) {
        typed.setAttribute("aria-describedby", line.getAttribute("aria-describedby"));
    }
    if (line.getAttribute("aria-invalid")) {
        typed.setAttribute("aria-invalid", "true");
    }
    line.id += "_line";
    line.hidden = true;
    box.append(typed);
    line.after(box);

    function show() {
        box.querySelectorAll(".sy-piece").forEach((piece) => piece.remove());
        for (const name of pieces(line.value)) {
            const piece = document.createElement("span");
            piece.className = "sy-piece";
            const mark = marks.get(name);
            piece.append(mark && /\p{RI}/u.test(mark) ? `${mark} ${name}` : name);
            const off = document.createElement("button");
            off.type = "button";
            off.textContent = "×";
            off.setAttribute("aria-label", `${name}: ${box.dataset.remove}`);
            off.addEventListener("click", () => {
                set(pieces(line.value).filter((other) => other !== name));
                typed.focus();
            });
            piece.append(off);
            typed.before(piece);
        }
    }

    function set(names) {
        line.value = [...new Set(names)].join(", ");
        line.dispatchEvent(new Event("change", { bubbles: true }));
        show();
    }

    function take() {
        const added = pieces(typed.value).map((name) => [...marks.keys()].find((known) => known.toLowerCase() === name.toLowerCase()) || name);
        typed.value = "";
        if (added.length) {
            set([...pieces(line.value), ...added]);
        }
    }

    box.dataset.remove = line.dataset.remove || "×";
    typed.addEventListener("keydown", (event) => {
        if ((event.key === "Enter" || event.key === ",") && typed.value.trim()) {
            event.preventDefault();
            take();
        } else if (event.key === "Enter") {
            event.preventDefault();
        } else if (event.key === "Backspace" && !typed.value) {
            set(pieces(line.value).slice(0, -1));
        }
    });
    typed.addEventListener("input", (event) => {
        // Chosen from the list, not typed letter by letter.
        if (marks.has(typed.value) && (!event.inputType || event.inputType === "insertReplacementText")) {
            take();
        }
    });
    typed.addEventListener("blur", take);
    line.form.addEventListener("submit", take);
    show();
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("input[data-picker=several]").forEach(makePicker));

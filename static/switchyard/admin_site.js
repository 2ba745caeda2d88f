// A site's page: channels are moved with buttons instead of numbers, and the preview follows the form.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const ordered = document.querySelector("[data-ordered]");
    if (ordered) {
        for (const each of ordered.querySelectorAll(".sy-place")) {
            each.hidden = true;
        }
        for (const each of ordered.querySelectorAll(".sy-moves")) {
            each.hidden = false;
        }
        ordered.addEventListener("click", moveChannel);
    }
    const preview = document.querySelector("[data-preview]");
    const form = document.getElementById("site_form");
    if (preview && form) {
        let waiting = 0;
        const follow = () => {
            clearTimeout(waiting);
            waiting = setTimeout(() => showIn(form, preview), 400);
        };
        form.addEventListener("input", follow);
        form.addEventListener("sy:moved", follow);
        preview.querySelector("select").addEventListener("change", follow);
    }
});

function moveChannel(event) {
    const button = event.target.closest("[data-move]");
    if (!button) {
        return;
    }
    const row = button.closest("li");
    const other = button.dataset.move === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) {
        return;
    }
    if (button.dataset.move === "up") {
        other.before(row);
    } else {
        other.after(row);
    }
    [...row.parentElement.children].forEach((each, place) => {
        each.querySelector(".sy-place input").value = place + 1;
    });
    button.focus();
    row.dispatchEvent(new CustomEvent("sy:moved", { bubbles: true }));
}

// What stands in the form goes to both frames; the server shows it and keeps nothing. A form of its own for each: one
// that is sent twice at once is sent once.
function showIn(form, preview) {
    for (const frame of preview.querySelectorAll("iframe")) {
        const copy = document.createElement("form");
        copy.method = "post";
        copy.action = preview.dataset.preview;
        copy.target = frame.name;
        copy.hidden = true;
        for (const [name, value] of new FormData(form)) {
            const field = document.createElement("input");
            field.type = "hidden";
            field.name = name;
            field.value = value;
            copy.append(field);
        }
        document.body.append(copy);
        copy.submit();
        copy.remove();
    }
}

// Draws the hours that are typed beside each day, and types what is drawn. The texts are what is sent.
"use strict";

const DAY = 1440;
const STEP = 15; // minutes to which drawing snaps
const WINDOW = /^(\d{1,2})(?:[:.h](\d{2}))?\s*h?\s*(?:-|–|—|to|a)\s*(\d{1,2})(?:[:.h](\d{2}))?\s*h?$/i;
const FIELDS = { regular: "hours", on_call: "on_call" };

function readWindows(text) {
    return text.split(/[,;\n]/).map((part) => WINDOW.exec(part.trim())).filter(Boolean)
        .map((said) => ({ start: said[1] * 60 + Number(said[2] || 0), end: said[3] * 60 + Number(said[4] || 0) || DAY }))
        .filter(({ start, end }) => start < DAY && end <= DAY && start !== end);
}

function clock(minute) {
    return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

function written(windows) {
    return [...windows].sort((one, other) => one.start - other.start).map(({ start, end }) => `${clock(start)}–${clock(end)}`).join(", ");
}

class Week {
    constructor(element) {
        this.element = element;
        this.days = [...element.querySelectorAll("[data-day]")];
        for (const day of this.days) {
            day.querySelector("[data-copy-day]").hidden = false;
            const track = day.querySelector("[data-track]");
            track.classList.add("sy-drawable");
            track.addEventListener("pointerdown", (event) => this.press(event, day, track));
        }
        element.addEventListener("input", () => this.draw());
        element.addEventListener("click", (event) => this.copy(event));
        document.querySelector("[data-week-hint]").hidden = false;
        this.draw();
    }

    field(day, kind) {
        return day.querySelector(`input[name=${FIELDS[kind]}_${day.dataset.day}]`);
    }

    windows(day, kind) {
        return readWindows(this.field(day, kind).value);
    }

    write(day, kind, windows) {
        this.field(day, kind).value = written(windows);
        this.draw();
    }

    draw() {
        const sums = { regular: 0, on_call: 0 };
        for (const day of this.days) {
            day.querySelectorAll(".sy-bar").forEach((bar) => bar.remove());
        }
        this.days.forEach((day, place) => {
            for (const kind of Object.keys(FIELDS)) {
                this.windows(day, kind).forEach(({ start, end }, index) => {
                    const overnight = end < start;
                    sums[kind] += overnight ? DAY - start + end : end - start;
                    this.bar(day, kind, start, overnight ? DAY : end, index, overnight ? "start" : "both");
                    if (overnight) {
                        this.bar(this.days[(place + 1) % 7], kind, 0, end, null, "none");
                    }
                });
            }
        });
        const sum = document.querySelector("[data-week-sum]");
        const [regular, onCall] = [sums.regular, sums.on_call].map((minutes) => String(Math.round(minutes / 6) / 10));
        const words = sum.dataset.words.replace("%s", regular).replace("%s", onCall);
        if (sum.textContent !== words) {
            sum.textContent = words;
        }
    }

    bar(day, kind, start, end, index, edges) {
        const bar = document.createElement("span");
        bar.className = `sy-bar sy-${kind}${index === null ? " sy-continues" : ""}`;
        bar.style.left = `${(start * 100) / DAY}%`;
        bar.style.width = `${((end - start) * 100) / DAY}%`;
        if (index !== null) {
            Object.assign(bar.dataset, { kind, index });
            for (const edge of edges === "both" ? ["start", "end"] : ["start"]) {
                const grip = document.createElement("span");
                grip.className = `sy-edge sy-edge-${edge}`;
                grip.dataset.edge = edge;
                bar.append(grip);
            }
        }
        day.querySelector("[data-track]").append(bar);
    }

    press(event, day, track) {
        if (event.button) {
            return;
        }
        const minuteAt = (x) => {
            const box = track.getBoundingClientRect();
            return Math.min(DAY, Math.max(0, Math.round((((x - box.left) / box.width) * DAY) / STEP) * STEP));
        };
        const bar = event.target.closest("[data-index]");
        const kind = bar ? bar.dataset.kind : "regular";
        const before = this.windows(day, kind);
        const from = minuteAt(event.clientX);
        const edge = event.target.dataset.edge;
        const changed = (to) => {
            if (!bar) {
                const [start, end] = [Math.min(from, to), Math.max(from, to)];
                return end > start ? [...before, { start, end }] : before;
            }
            const own = before[Number(bar.dataset.index)];
            const rest = before.filter((window) => window !== own);
            if (edge) {
                const moved = { ...own, [edge]: edge === "end" ? Math.max(to, STEP) : Math.min(to, DAY - STEP) };
                return own.end > own.start && moved.end <= moved.start ? rest : [...rest, moved];
            }
            const by = Math.max(-own.start, own.end > own.start ? Math.min(DAY - own.end, to - from) : to - from);
            const end = own.end + by;
            return own.start + by < DAY && end > 0 ? [...rest, { start: own.start + by, end }] : before;
        };
        const pointer = event.pointerId;
        track.setPointerCapture(pointer);
        const move = (moved) => this.write(day, kind, changed(minuteAt(moved.clientX)));
        const stop = () => {
            track.removeEventListener("pointermove", move);
            this.field(day, kind).dispatchEvent(new Event("change", { bubbles: true }));
        };
        track.addEventListener("pointermove", move);
        track.addEventListener("pointerup", stop, { once: true });
        track.addEventListener("pointercancel", () => {
            this.write(day, kind, before);
            stop();
        }, { once: true });
    }

    copy(event) {
        const button = event.target.closest("[data-copy-to]");
        if (!button) {
            return;
        }
        const day = button.closest("[data-day]");
        const place = this.days.indexOf(day);
        const targets = { next: [this.days[(place + 1) % 7]], weekdays: this.days.slice(0, 5), all: this.days };
        for (const target of targets[button.dataset.copyTo]) {
            for (const kind of Object.keys(FIELDS)) {
                this.field(target, kind).value = this.field(day, kind).value;
            }
        }
        this.draw();
        const menu = button.closest("details");
        menu.open = false;
        menu.querySelector("summary").focus();
    }
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-week]").forEach((element) => new Week(element)));
document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest(".sy-copies[open]");
    if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
    }
});

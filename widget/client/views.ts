/** What the panel shows while the rest is on its way, or where it never comes. */

import { el, type Child } from "./dom.ts";
import type { Texts } from "./language.ts";

export const skeleton = (): HTMLElement => el("div", { class: "skeleton", role: "status", "aria-label": "…" }, el("i"), el("i"), el("i"));

export const waiting = (text: string): HTMLElement => el("p", { class: "waiting", role: "status" }, el("span", { class: "spinner" }), text);

/** What to do while the server does not answer. */
export function failure(t: Texts, fallback: string, kept: boolean, retry: () => void): Child[] {
  return [
    el("div", { class: "note", role: "alert" }, el("strong", {}, t.failed), kept && el("p", {}, t.kept)),
    fallback && el("a", { class: "main", href: fallback, target: /^https?:/.test(fallback) ? "_blank" : null, rel: "noopener noreferrer" }, t.direct),
    el("button", { class: "quiet", type: "button", click: retry }, t.retry),
  ];
}

export const quietButton = (text: string, click: () => void): HTMLElement => el("button", { class: "quiet", type: "button", click }, text);

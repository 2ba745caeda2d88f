/**
 * What the panel shows once the site has answered, drawn from plain values. Fetched when the panel is first opened, so
 * that pages on which nobody opens it carry little.
 */

import type { Answer, Visitor } from "./v1.d.ts";
import type { Channel, Config } from "./api.ts";
import { drawing, el, set, type Child } from "./dom.ts";
import { counted, duration, instant, languageNames, say, type Language, type Texts } from "./language.ts";
import { safeLink } from "./options.ts";

export { default as css } from "./more.css";
export { default as en } from "./locales/en.json";
export { makeOutbox } from "./outbox.ts";

export interface Words {
  t: Texts;
  language: Language;
}

const FORWARD = "M9.300 5.300 7.900 6.700 13.200 12l-5.300 5.300 1.400 1.400L16 12z";
const TICK = "M9.500 17.600 4 12.100l1.500-1.500 4 4 9-9L20 7.100z";

const labelOf = ({ id, label }: Channel, { t }: Words): string =>
  id === "form" ? t.leave : id === "phone" ? t.phone : id === "email" ? t.email : label;

function tile({ icon }: Channel): HTMLElement {
  const made = el("span", { class: "tile", "aria-hidden": "true" }, drawing(icon.path));
  made.style.setProperty("--tile", icon.fill);
  made.style.setProperty("--on-tile", icon.ink);
  return made;
}

/** One row for each way to talk. What is not there now says so where others are. */
export function channelList(channels: Channel[], words: Words, choose: (channel: Channel) => void): HTMLElement {
  let anybody = false;
  for (const { online } of channels) anybody ||= online;
  const list = el("div", { class: "list" });
  for (const channel of channels) {
    const label = labelOf(channel, words);
    list.appendChild(
      el(
        "button",
        { class: "row", type: "button", "data-channel": channel.id, "data-online": `${channel.online}`, click: () => choose(channel) },
        tile(channel),
        el("span", { class: "grow" }, label, anybody && !channel.online && el("small", {}, words.t.later)),
        drawing(FORWARD),
      ),
    );
  }
  return list;
}

/** What stands below the greeting: the site's own word or ours, and who is there. */
export function greeting(config: Config, agent: string | undefined, own: (key: string) => string | undefined, words: Words): Child[] {
  const { t, language } = words;
  const { online, opens_at, team } = config;
  const known = agent && el("p", {}, say(t.again, { name: agent }));
  if (!online) {
    const opens = opens_at && say(t.opens, { time: instant(opens_at, language) });
    return [known, el("p", {}, own("away") || t.away), opens && el("p", { class: "status" }, opens)];
  }
  // Each fact only where it is known.
  const facts: string[] = [];
  if (team.on_shift > 0) {
    facts.push(counted(t.people, team.on_shift, language));
    const own = language.formats.split("-")[0]!;
    const speakers = team.speakers[own] || 0;
    // Some who speak the visitor's language are told apart; else what everybody together speaks.
    const some = speakers > 0 && speakers < team.on_shift;
    const spoken = languageNames(some ? [own] : team.languages, language);
    if (spoken) facts.push(some ? counted(t.speakers, speakers, language, { language: spoken }) : say(t.speak, { languages: spoken }));
  }
  if (team.typical_reply_s) facts.push(say(t.replies, { time: duration(team.typical_reply_s, language) }));
  let line = "";
  for (const fact of facts) line += (line && " · ") + fact;
  return [known || el("p", {}, own("intro") || t.choose), line && el("p", { class: "status", "data-here": true }, line)];
}

export interface Written {
  message: string;
  name?: string;
  email?: string;
  phone?: string;
  consent?: { text: string; at: string };
  hp: string;
}

/** The message form. What is missing is said at its field, and what was typed stays. */
export function messageForm(
  words: Words,
  consent: Config["consent"],
  visitor: Visitor,
  typed: Partial<Record<string, string>>,
  problems: Partial<Record<string, string>>,
  send: (written: Written, typed: Record<string, string>) => void,
): HTMLFormElement {
  const { t } = words;
  const message = el("textarea", { name: "message", rows: 3, maxlength: 5000, required: true });
  const name = el("input", { name: "name", autocomplete: "name", maxlength: 200 });
  const contact = el("input", { name: "contact", autocomplete: "email", maxlength: 254, required: true, dir: "auto" });
  const trap = el("input", { name: "website", tabindex: -1, autocomplete: "off" });
  const agreed = el("input", { type: "checkbox", name: "consent", required: true });
  message.value = typed.message || "";
  name.value = typed.name ?? (visitor.name || "");
  contact.value = typed.contact ?? (visitor.email || visitor.phone || "");
  agreed.checked = !!typed.consent;
  const complaints = new Map<HTMLElement, HTMLElement>();
  const complain = (input: HTMLElement, problem: string | undefined): boolean => {
    const place = complaints.get(input)!;
    place.textContent = problem || "";
    set(input, "aria-invalid", problem ? "true" : null);
    return !!problem;
  };
  const field = (label: string, input: HTMLInputElement | HTMLTextAreaElement, optional = false): HTMLElement => {
    const place = el("span", { class: "problem", id: `${input.name}-problem` });
    complaints.set(input, place);
    set(input, "id", input.name);
    set(input, "aria-describedby", place.id);
    return el("div", { class: "field" }, el("label", { for: input.name }, label, optional && el("small", {}, ` (${t.optional})`)), input, place);
  };
  const notice = safeLink(consent?.url);
  const agreement = consent && el("div", { class: "field" },
    el("label", { class: "tick" }, agreed, el("span", {}, consent.text)),
    notice && el("a", { href: notice, target: "_blank", rel: "noopener noreferrer" }, t.privacy),
    complaints.set(agreed, el("span", { class: "problem", id: "consent-problem" })).get(agreed),
  );
  if (consent) set(agreed, "aria-describedby", "consent-problem");

  const form = el("form", { novalidate: true, submit: (event: Event) => {
    event.preventDefault();
    const reached = contact.value.trim();
    const isEmail = /^\S+@\S+\.\S+$/.test(reached);
    const isPhone = !isEmail && /^[+(\d][\d\s().\/-]{4,}$/.test(reached);
    const wrong = [
      complain(message, message.value.trim() ? "" : t.need_message) && message,
      complain(contact, isEmail || isPhone ? "" : t.need_contact) && contact,
      consent && complain(agreed, agreed.checked ? "" : t.need_consent) && agreed,
    ];
    for (const input of wrong) {
      if (input) return input.focus();
    }
    send(
      {
        message: message.value,
        name: name.value.trim() || undefined,
        [isEmail ? "email" : "phone"]: reached,
        consent: consent ? { text: consent.text, at: new Date().toISOString() } : undefined,
        hp: trap.value,
      },
      { message: message.value, name: name.value, contact: contact.value, consent: agreed.checked ? "1" : "" },
    );
  } },
    field(t.message, message),
    field(t.name, name, true),
    field(t.contact, contact),
    el("div", { class: "unseen", "aria-hidden": "true" }, trap),
    agreement,
    el("button", { class: "main", type: "submit" }, t.send),
  );
  complain(message, problems.message);
  complain(contact, problems.email || problems.phone);
  return form;
}

/** The agent's own link, and the ways on from here where no app answers. */
export function card(answer: Answer, channels: Channel[], words: Words, qr: HTMLElement | null): { title: string; content: Child[]; link: HTMLAnchorElement | null } {
  const { t } = words;
  const { agent, channel, reference } = answer;
  const known = channel && (() => { for (const each of channels) if (each.id === channel.id) return each; return null; })();
  const label = channel ? (known ? labelOf(known, words) : channel.id) : "";
  const url = channel?.url;
  const link = url
    ? el("a", { class: "main", href: url, rel: "noopener noreferrer", target: /^https?:/.test(url) ? "_blank" : null },
        channel.id === "phone" ? t.call : channel.id === "email" ? t.write : say(t.continue, { channel: label }))
    : null;
  const isApp = channel && channel.display && !/^https:/.test(url || "");
  return {
    title: label,
    link,
    content: [
      agentLine(agent, known, t),
      link,
      isApp && el("div", { class: "manual" }, link && el("small", {}, t.manual), copyable(channel.display, t)),
      qr,
      referenceLine(reference, t),
    ],
  };
}

/** When the visitor hears from somebody, in the widget's own language where it knows the kind of promise. */
export function when({ agent, promise }: Answer, { t, language }: Words): string {
  if (promise.kind === "opens_at" && promise.at) return say(t.answer, { time: instant(promise.at, language) });
  if (promise.kind === "soon" || promise.kind === "queue") return t.soon;
  return agent ? "" : promise.text;
}

/** A message was taken: when to expect an answer, and where to look. */
export function thanks(answer: Answer, own: string | undefined, words: Words): Child[] {
  const { t } = words;
  const { agent, reference, status_url, outcome } = answer;
  const expected = when(answer, words);
  const status = outcome !== "rejected" && safeLink(status_url);
  return [
    el("div", { class: "done" }, el("span", { class: "tick-mark" }, drawing(TICK)), el("strong", {}, own || t.thanks), expected && el("p", {}, expected)),
    agentLine(agent, null, t),
    referenceLine(reference, t),
    status && el("p", { class: "center" }, el("a", { href: status, target: "_blank", rel: "noopener noreferrer" }, t.status)),
  ];
}

export const note = (text: string): HTMLElement => el("p", { class: "note" }, text);
export const caption = (text: string): HTMLElement => el("p", { class: "caption" }, text);

const agentLine = (agent: Answer["agent"], channel: Channel | null, t: Texts): Child =>
  agent && el("div", { class: "agent" },
    el("span", { class: "face", "aria-hidden": "true" }, initials(agent.name), photo(agent.photo_url), channel && tile(channel)),
    el("div", {}, el("small", {}, t.with), el("strong", {}, agent.name), agent.title && el("small", {}, agent.title)),
  );

/** Over the initials, which stay where the picture does not come or the page's policy forbids its host. */
function photo(url: string | null): Child {
  const image = url && /^https:/.test(url) && el("img", { src: url, alt: "", referrerpolicy: "no-referrer", error: () => image && image.remove() });
  return image;
}

const referenceLine = (reference: string, t: Texts): Child =>
  reference && el("p", { class: "center" }, `${t.reference}: `, el("b", {}, reference));

function copyable(text: string, t: Texts): HTMLElement {
  const button = el("button", { class: "copy", type: "button", click: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t.copied;
    } catch {
      getSelection()?.selectAllChildren(shown); // the page may not write there: it is one key press away
    }
  } }, t.copy);
  const shown = el("b", { dir: "ltr" }, text);
  return el("div", { class: "copyable" }, shown, button);
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const last = words.length > 1 ? words[words.length - 1]! : "";
  return ([...words[0]!][0] || "").toUpperCase() + ([...last][0] || "").toUpperCase();
}

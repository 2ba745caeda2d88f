/** Words, numbers and times as the visitor reads them. */

import en from "./locales/en.json";
import { has } from "./dom.ts";

export type Texts = typeof en;

/** The launcher's label in every language there is a catalogue of: the one text that is needed before any request. */
declare const LAUNCHER: Record<string, string>;

export interface Language {
  /** Of the page or the browser, as it was given: what routing goes by. */
  tag: string;
  /** The catalogue that comes nearest. */
  catalogue: string;
  /** What numbers and dates are written by. */
  formats: string;
  rtl: boolean;
}

const RIGHT_TO_LEFT = /^(ar|he|fa)$/;

/** From the first of these tags that a catalogue exists for; from English where there is none. */
export function languageOf(...wanted: (string | null | undefined)[]): Language {
  let first = "";
  for (const said of wanted) {
    if (!said) continue;
    let tag: string | undefined;
    try {
      tag = Intl.getCanonicalLocales(said.trim().replace(/_/g, "-"))[0];
    } catch {
      continue; // no language at all
    }
    if (!tag) continue;
    first ||= tag;
    const base = tag.split("-")[0]!;
    const catalogue = /^zh-(hant|tw|hk|mo)/i.test(tag) ? "zh-Hant" : base === "nb" || base === "nn" ? "no" : base;
    if (has(LAUNCHER, catalogue)) {
      return { tag: first, catalogue, formats: tag, rtl: RIGHT_TO_LEFT.test(catalogue) };
    }
  }
  return { tag: first || "en", catalogue: "en", formats: "en", rtl: false };
}

export const launcherLabel = (language: Language): string => LAUNCHER[language.catalogue]!;

/** `{name}` in a text becomes its value. */
export function say(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (has(values, name) ? values[name]! : whole));
}

/** The form of a counted text that the language asks for. */
export function counted(forms: Record<string, string>, n: number, { formats }: Language, values: Record<string, string> = {}): string {
  const form = forms[new Intl.PluralRules(formats).select(n)] || forms.other!;
  return say(form, { ...values, n: new Intl.NumberFormat(formats).format(n) });
}

/** "4 min", "2 hr": minutes up to an hour and a half, then hours. */
export function duration(seconds: number, { formats }: Language): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const [value, unit] = minutes <= 90 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  return new Intl.NumberFormat(formats, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

/** An instant in the visitor's own zone; with the date where the weekday alone would mislead. */
export function instant(iso: string, { formats }: Language, now = Date.now()): string {
  const at = new Date(iso);
  const far = at.getTime() - now > 6 * 864e5;
  return new Intl.DateTimeFormat(formats, {
    weekday: "long",
    ...(far && { day: "numeric", month: "long" }),
    hour: "numeric",
    minute: "2-digit",
  }).format(at);
}

/** "Spanish and English", four at most; those that the browser has no name for are left out. */
export function languageNames(tags: string[], { formats }: Language): string {
  const names = new Intl.DisplayNames(formats, { type: "language", fallback: "none" });
  const named: string[] = [];
  for (const tag of tags) {
    const base = tag.split("-")[0]!;
    const name = /^[a-z]{2,3}$/.test(base) && names.of(base);
    if (name && named.indexOf(name) < 0 && named.length < 4) named.push(name);
  }
  return new Intl.ListFormat(formats, { type: "conjunction" }).format(named);
}

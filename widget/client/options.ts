/** What the snippet's `data-*` attributes say. */

export interface Options {
  site: string;
  /** The script's own address: everything else is beside it. */
  source: string;
  locale: string;
  /** Where the launcher stands; "" is the end of a line: right, or left where one reads from right to left. */
  position: string;
  theme: string;
  color: string;
  /** Pixels from the sides and from the bottom. */
  offset: [number, number] | null;
  /** A selector of the page's own buttons, in place of ours. */
  launcher: string;
  fallback: string;
  /** The launcher's own words; "" for ours, in the page's language. */
  label: string;
  autoStart: boolean;
}

export function optionsOf(script: HTMLScriptElement): Options {
  const said = script.dataset;
  return {
    site: said.site || "",
    source: script.src,
    locale: said.locale || "",
    position: said.position || "",
    theme: said.theme || "",
    color: said.color || "",
    offset: offsetOf(said.offset),
    launcher: said.launcher || "",
    fallback: said.fallback || "",
    label: said.label || "",
    autoStart: said.autoStart !== "off",
  };
}

/** A link that is safe to follow: what a page or a manager wrote may hold anything. */
export function safeLink(link: string | null | undefined): string {
  return link && /^(https?:\/\/|mailto:|tel:|sms:)/i.test(link) ? link : "";
}

/** "24", or "24 80": from the sides, and from the bottom. */
export function offsetOf(text: string | undefined): [number, number] | null {
  const [, x, y] = /^\s*(\d{1,3})(?:\s+(\d{1,3}))?\s*$/.exec(text || "") || [];
  return x ? [+x, +(y || x)] : null;
}

export const isColor = (text: string | undefined): string => (text && /^#[\da-f]{6}$/i.test(text) ? text : "");

/** What is asked of the server. Nothing here waits longer than a visitor would. */

import type { Answer } from "./v1.d.ts";
import { later } from "./dom.ts";
import type { Options } from "./options.ts";

export interface Channel {
  id: string;
  label: string;
  online: boolean;
  /** `path` in a box of 24 × 24, drawn in `ink` on a tile of `fill`. */
  icon: { path: string; fill: string; ink: string };
}

/** The answer of `GET widgets/KEY/config`; what its parts hold is said in widget/site_config.py. */
export interface Config {
  name: string;
  language: string;
  channels: Channel[];
  online: boolean;
  opens_at: string | null;
  team: { on_shift: number; languages: string[]; speakers: Record<string, number>; typical_reply_s: number | null };
  texts: Record<string, string | undefined>;
  theme: Record<string, string | undefined>;
  consent: { text: string; url?: string } | null;
  fallback: string | null;
  page_url: string | null;
}

export type Sent =
  | { answer: Answer }
  /** What the server found wrong with what was typed. */
  | { errors: Record<string, string[]>; status: number }
  /** `again`: the same may go well later. */
  | { again: boolean; status: number | null };

/** Of the files that are fetched beside the script, so that browsers may keep them for good. */
declare const VERSION: string;

export const PATIENCE_MS = 3_000;
// As the script found it: what the page puts in its place later is not asked.
const { fetch: send } = window;

async function ask<T>(url: string, read: (response: Response) => Promise<T>, init: RequestInit = {}, ms = PATIENCE_MS): Promise<T> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ms);
  try {
    return await read(await send.call(window, url, { credentials: "omit", ...init, signal: stop.signal }));
  } finally {
    clearTimeout(timer);
  }
}

const json = async (response: Response): Promise<any> => {
  if (!response.ok) throw response.status;
  return response.json();
};

export const fileUrl = ({ source }: Options, name: string): string => new URL(`v1/${name}?${VERSION}`, source).href;

/** A file from beside the script. */
export const file = (options: Options, name: string): Promise<any> => ask(fileUrl(options, name), json);

const address = ({ source, site }: Options, path: string): string =>
  new URL(`/api/v1/widgets/${encodeURIComponent(site)}/${path}`, source).href;

/** Throws the status of a refusal; something else where nothing answers in time. */
export const getConfig = (options: Options, language: string): Promise<Config> =>
  ask(address(options, `config?language=${encodeURIComponent(language)}`), json);

/** Hands in a lead. The server answers the same key with the same answer, so that trying twice makes no second lead. */
export async function postLead(options: Options, key: string, body: string): Promise<Sent> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const sent = await ask(
      address(options, "leads"),
      async (response): Promise<Sent> => {
        const { status } = response;
        if (response.ok) return { answer: await response.json() };
        const errors = status === 400 && (await response.json()).errors;
        return errors ? { errors, status } : { again: status >= 500 || status === 429 || status === 409, status };
      },
      { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": key }, body },
      until - performance.now(),
    ).catch((): Sent => ({ again: true, status: null }));
    // A server that restarts is back in a moment.
    const brief = "again" in sent && sent.again && sent.status !== 429;
    if (!brief || performance.now() > until - 1_500) return sent;
    await later(700);
  }
}

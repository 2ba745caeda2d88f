/**
 * Messages that did not arrive. They are tried again with the same Idempotency-Key: while the page is open, when the
 * network is back, and on the next page of the site. After a day they are given up: that is how long the server
 * remembers the key.
 */

import type { Answer } from "./v1.d.ts";
import type { Sent } from "./api.ts";
import type { Memory, Pending } from "./memory.ts";

export interface Outbox {
  isWaiting(): boolean;
  keep(key: string, body: string): void;
  drop(key: string): void;
  /** Tries all of them once, and sets the next time. */
  deliver(): Promise<void>;
  retryLater(): void;
  stop(): void;
}

const KEPT_MS = 864e5;
const WAITS_S = [5, 15, 60, 300];

export function makeOutbox(
  post: (key: string, body: string) => Promise<Sent>,
  recall: () => Memory,
  remember: (change: Memory) => void,
  delivered: (answer: Answer) => void,
): Outbox {
  let timer = 0;
  let tries = 0;
  let delivering = false;

  const pending = (): Record<string, Pending> => recall().pending || {};
  const isWaiting = (): boolean => Object.keys(pending()).length > 0;
  const stop = (): void => clearTimeout(timer);

  function drop(key: string): void {
    const { [key]: gone, ...others } = pending();
    if (gone) remember({ pending: others });
  }

  function retryLater(): void {
    stop();
    timer = window.setTimeout(deliver, WAITS_S[tries < 3 ? tries++ : 3]! * 1_000);
  }

  async function deliver(): Promise<void> {
    if (delivering || !isWaiting()) return;
    delivering = true;
    stop();
    for (const key of Object.keys(pending())) {
      const { body, at } = pending()[key]!;
      const sent: Sent = Date.now() - at > KEPT_MS ? { again: false, status: null } : await post(key, body);
      if (!("again" in sent && sent.again)) drop(key);
      if ("answer" in sent) delivered(sent.answer);
    }
    delivering = false;
    if (isWaiting()) retryLater();
  }

  return {
    isWaiting,
    keep: (key, body) => remember({ pending: { ...pending(), [key]: { body, at: Date.now() } } }),
    drop,
    deliver,
    retryLater,
    stop,
  };
}

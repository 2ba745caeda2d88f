/** What this browser keeps between visits: nothing at all until the visitor acts. */

export interface Pending {
  /** Exactly what was sent: a repeat must be the same to be known as one. */
  body: string;
  at: number;
}

export interface Memory {
  visitor?: string;
  /** Who looks after them. */
  agent?: string;
  /** Messages that have not arrived, by Idempotency-Key. */
  pending?: Record<string, Pending>;
}

let name = "";
/** For pages whose storage is closed to us: this visit alone. */
let kept: Memory = {};

export function remembersFor(site: string): void {
  name = `switchyard:${site}`;
}

export function recall(): Memory {
  try {
    const stored = localStorage.getItem(name);
    if (stored) kept = JSON.parse(stored) || {};
  } catch {
    // Closed, or not ours.
  }
  return kept;
}

export function remember(change: Memory): void {
  // Without a prototype there is no toJSON that a page could have put there.
  kept = bare({ ...recall(), ...change });
  if (kept.pending) kept.pending = bare(kept.pending, (pending) => bare(pending));
  try {
    localStorage.setItem(name, JSON.stringify(kept));
  } catch {
    // Closed or full.
  }
}

export function visitorId(): string {
  const known = recall().visitor;
  if (known) return known;
  const visitor = newId();
  remember({ visitor });
  return visitor;
}

export function newId(): string {
  // Pages without TLS have no randomUUID.
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += (byte + 256).toString(16).slice(1);
  return id;
}

/** The same values in an object that inherits nothing. */
export function bare<T extends object>(object: T, each: (value: any) => unknown = (value) => value): T {
  const made = Object.create(null);
  for (const name of Object.keys(object)) made[name] = each((object as any)[name]);
  return made;
}

import type { Events } from "./v1.d.ts";

type Listener = (detail: any) => void;

const listeners = new Map<string, Set<Listener>>();

export function on<Name extends keyof Events>(event: Name, listener: (detail: Events[Name]) => void): () => void {
  const known = listeners.get(event) || new Set<Listener>();
  listeners.set(event, known.add(listener));
  return () => void known.delete(listener);
}

/** A listener that fails is the page's own affair: it is heard of, and stops nothing here. */
export function emit<Name extends keyof Events>(event: Name, detail?: Events[Name]): void {
  for (const listener of listeners.get(event) || []) {
    try {
      listener(detail);
    } catch (problem) {
      setTimeout(() => {
        throw problem;
      });
    }
  }
}

/** Runs once a page, however often the script is included; takes the commands that waited, and leaves one global. */

import type { Command, Switchyard } from "./v1.d.ts";
import { has } from "./dom.ts";
import { optionsOf } from "./options.ts";
import { start } from "./widget.ts";

function main(): void {
  const script = document.currentScript || document.querySelector("script[data-site]");
  if (!(script instanceof HTMLScriptElement) || !script.dataset.site) return;
  const options = optionsOf(script);

  function begin(): void {
    const queued = window.switchyard;
    if (queued && !Array.isArray(queued) && queued.version) return; // another copy is there
    const calls = start(options, () => {
      delete window.switchyard;
    });
    const push = (...commands: Command[]): void => {
      for (const [name, ...given] of commands) {
        if (has(calls, name)) (calls[name] as (...given: unknown[]) => unknown)(...given);
      }
    };
    const api: Switchyard = { version: 1, ...calls, push };
    window.switchyard = Object.freeze(api);
    if (Array.isArray(queued)) push(...queued);
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin, { once: true });
  else begin();
}

main();

/**
 * What the widget offers to the page that carries it: `window.switchyard`.
 *
 *   <script async src="https://leads.example.com/widget/v1.js" data-site="SITE_KEY"></script>
 *
 * Calls made before the script has arrived wait in an array:
 *
 *   (window.switchyard ||= []).push(["on", "assigned", (answer) => console.log(answer.reference)]);
 */

/** What became of a visitor's lead. */
export interface Answer {
  id: string;
  outcome: "assigned" | "fallback" | "held" | "queued" | "rejected";
  agent: { name: string; title: string; photo_url: string | null } | null;
  /** `url` opens the agent's own chat; null where there is nothing to open. `display` is the handle as people read it. */
  channel: { id: string; url: string | null; display: string } | null;
  /** A short code, which the prefilled text carries, too. */
  reference: string;
  promise: { kind: string; at: string | null; text: string };
  status_url: string | null;
}

export interface Events {
  /** The launcher is on the page, or would be where it is hidden. */
  ready: undefined;
  open: undefined;
  close: undefined;
  /** The visitor tapped a channel; nothing has been sent yet. */
  channelClick: { channel: string };
  /** A lead was taken. */
  assigned: Answer;
  /** A lead could not be handed in, or the widget not be filled. `status` is null where nothing answered. */
  error: { doing: "config" | "lead"; status: number | null };
}

/** What the page knows of its visitor. It fills in the message form and goes along with the lead. */
export interface Visitor {
  name?: string;
  email?: string;
  phone?: string;
}

export type Attributes = Record<string, string | number | boolean | null>;

export interface Switchyard {
  readonly version: 1;
  open(): void;
  close(): void;
  toggle(): void;
  /** Shows the launcher; starts the widget where `data-auto-start="off"` kept it waiting. */
  show(): void;
  /** Takes launcher and panel off the page until `show` or `open`. */
  hide(): void;
  /** A BCP 47 tag. Default: the page's `lang`, then the browser's. */
  setLocale(tag: string): void;
  setVisitor(visitor: Visitor): void;
  /**
   * Facts that routing may look at. `signed` is the text that your server made of them with the site's secret; without
   * it only attributes that the workspace lists as public count.
   */
  setAttributes(attributes: Attributes, signed?: string): void;
  /** Takes everything away, `window.switchyard` included. */
  destroy(): void;
  /** Returns what ends the subscription. */
  on<Name extends keyof Events>(event: Name, listener: (detail: Events[Name]) => void): () => void;
  /** A command as an array, such as `["open"]`: what the queue holds before the script arrives. */
  push(...commands: Command[]): void;
}

type Method = Exclude<keyof Switchyard, "version" | "push">;
export type Command = { [Name in Method]: [Name, ...Parameters<Switchyard[Name]>] }[Method];

declare global {
  interface Window {
    switchyard?: Switchyard | Command[];
  }
}

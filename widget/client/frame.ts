/** Launcher and panel: where they stand, how they open and close, and where the keyboard's focus goes. */

import { drawing, el, fill, set, type Child } from "./dom.ts";
import type { Options } from "./options.ts";
import css from "./style.css";

export interface Look {
  accent: string;
  /** Of words on the accent; "" for the one of black and white that can be read there. */
  ink: string;
  side: string;
  scheme: string;
  offset: [number, number];
}

const CHAT = "M12 3C6.500 3 2 6.800 2 11.500c0 2.400 1.200 4.600 3.100 6.100L4.300 21.200c-.1.5.4.9.8.7l3.900-2.200c1 .200 2 .300 3 .300 5.500 0 10-3.800 10-8.500S17.500 3 12 3z";
const DOWN = "M12 16.200 4.600 8.800 6 7.400l6 6 6-6 1.400 1.400z";
const CROSS = "M6.200 4.800 12 10.600l5.800-5.800 1.400 1.400L13.400 12l5.800 5.800-1.400 1.400L12 13.400l-5.800 5.800-1.400-1.400L10.600 12 4.800 6.200z";
const BACK = "M14.700 5.300 16.100 6.700 10.800 12l5.300 5.300-1.400 1.400L8 12z";

export class Frame {
  readonly host = el("div");
  readonly title = el("h2", { id: "title", tabindex: -1 });
  private readonly intro = el("div", { class: "intro" });
  private readonly body = el("div", { class: "body" });
  private readonly live = el("p", { class: "unseen", role: "status" });
  private readonly label = el("span");
  private readonly backButton = el("button", { class: "icon back", type: "button", click: () => this.onBack() }, drawing(BACK));
  private readonly closeButton = el("button", { class: "icon", type: "button", click: () => this.onClose() }, drawing(CROSS));
  private readonly panel = el(
    "div",
    { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
    el("div", { class: "head" }, el("div", { class: "bar" }, this.backButton, this.title, this.closeButton), this.intro),
    this.body,
    this.live,
  );
  private readonly launcher = el(
    "button",
    { class: "launcher", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", click: () => this.onToggle() },
    drawing(CHAT),
    drawing(DOWN),
    this.label,
  );
  private readonly region = el("section", {}, this.launcher);
  private readonly shade = el("div", { class: "shade", click: () => this.onClose() });
  private readonly all = el("div", { class: "all" }, this.region, this.shade, this.panel);
  private returnTo: HTMLElement | null = null;

  onBack = (): void => {};
  onClose = (_returnFocus?: boolean): void => {};
  onToggle = (): void => {};

  constructor(options: Options) {
    const root = this.host.attachShadow({ mode: "open" });
    this.style(css);
    root.appendChild(this.all);
    set(this.host, "data-switchyard", true);
    set(this.region, "hidden", !!options.launcher);
    this.all.addEventListener("keydown", (event) => this.keyPressed(event));
  }

  get isOpen(): boolean {
    return !this.panel.hidden;
  }

  /** Adds a style sheet, which no Content-Security-Policy minds. */
  style(text: string): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    const root = this.host.shadowRoot!;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }

  /** Beside `body`, not in it: no transform of the page moves us there, and single-page navigation leaves us alone. */
  attach(): void {
    if (!this.host.isConnected) document.documentElement.appendChild(this.host);
  }

  /** Words that are always there, in the language of a tag. */
  speak(tag: string, rtl: boolean, words: { launcher: string; chat: string; close: string; back: string }): void {
    set(this.all, "lang", tag);
    set(this.all, "dir", rtl ? "rtl" : "ltr");
    set(this.region, "aria-label", words.chat);
    set(this.closeButton, "aria-label", words.close);
    set(this.backButton, "aria-label", words.back);
    this.label.textContent = words.launcher;
  }

  dress({ accent, ink, side, scheme, offset }: Look): void {
    const { style } = this.all;
    const dark = contrastWithWhite(accent) < 4.5;
    style.setProperty("--accent", accent);
    style.setProperty("--ink", ink || (dark ? "#10131a" : "#fff"));
    style.setProperty("--toward", dark ? "#fff" : "#000");
    style.setProperty("--x", `${offset[0]}px`);
    style.setProperty("--y", `${offset[1]}px`);
    set(this.all, "data-side", side);
    set(this.all, "data-scheme", scheme);
  }

  open(opener: Element | null): void {
    this.returnTo = opener instanceof HTMLElement ? opener : this.launcher;
    this.panel.hidden = false;
    this.markOpen(true);
    // On a phone the panel is all there is; beside a page that stays usable it is not.
    set(this.panel, "aria-modal", this.isModal() && "true");
  }

  close(returnFocus: boolean): void {
    this.panel.hidden = true;
    this.markOpen(false);
    if (returnFocus && this.returnTo?.isConnected) this.returnTo.focus({ preventScroll: true });
  }

  /** Draws a view. Focus goes to `focused`, or to the title, so that the view is read out; "" leaves it where it is. */
  show(view: { title: string; intro?: Child[]; tall?: boolean; back?: boolean; content: Child[]; focus?: HTMLElement | "" }): void {
    this.title.textContent = view.title;
    fill(this.intro, view.intro || []);
    fill(this.body, view.content);
    set(this.all, "data-tall", !!view.tall);
    this.backButton.hidden = !view.back;
    this.body.scrollTop = 0;
    if (view.focus !== "") (view.focus || this.title).focus({ preventScroll: true });
  }

  /** Read out, not shown. */
  announce(text: string): void {
    this.live.textContent = text;
  }

  /** Draws attention to the launcher: something happened while the panel was closed. */
  mark(on: boolean): void {
    set(this.launcher, "data-news", on);
  }

  /** Out of the way while what the page has in focus lies below us. */
  giveWay(rect: DOMRect | null): void {
    const covers = (element: HTMLElement): boolean => {
      const own = element.getBoundingClientRect();
      return !!rect && rect.left < own.right && rect.right > own.left && rect.top < own.bottom && rect.bottom > own.top;
    };
    if (this.isOpen && covers(this.panel)) this.onClose(false);
    set(this.region, "data-away", covers(this.launcher));
  }

  private markOpen(open: boolean): void {
    set(this.all, "data-open", open);
    set(this.launcher, "aria-expanded", `${open}`);
    if (this.returnTo && this.returnTo !== this.launcher) set(this.returnTo, "aria-expanded", `${open}`);
  }

  private isModal(): boolean {
    return getComputedStyle(this.shade).display !== "none";
  }

  private keyPressed(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.isOpen) {
      event.stopPropagation();
      this.onClose();
    }
    if (event.key !== "Tab" || !this.isModal()) return;
    let first: HTMLElement | null = null;
    let last: HTMLElement | null = null;
    for (const element of this.panel.querySelectorAll<HTMLElement>("a[href], button, input, textarea")) {
      if (element.tabIndex < 0 || !element.offsetParent) continue;
      first ||= element;
      last = element;
    }
    const active = (this.host.shadowRoot as ShadowRoot).activeElement;
    if (event.shiftKey ? active === first || active === this.title : active === last) {
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    }
  }
}

/** By the formula of WCAG 2.2, of `#rrggbb`. */
function contrastWithWhite(color: string): number {
  const linear = (from: number): number => {
    const part = parseInt(color.slice(from, from + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 1.05 / (0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5) + 0.05);
}

/** What the widget does: opens, asks, sends, and shows what came of it. */

import type { Answer, Attributes, Switchyard, Visitor } from "./v1.d.ts";
import { file, fileUrl, getConfig, PATIENCE_MS, postLead, type Channel, type Config, type Sent } from "./api.ts";
import { drawing, el, later } from "./dom.ts";
import { emit, on } from "./events.ts";
import { Frame } from "./frame.ts";
import { languageOf, launcherLabel, type Language, type Texts } from "./language.ts";
import { bare, newId, recall, remember, remembersFor, visitorId } from "./memory.ts";
import type * as More from "./more.ts";
import { isColor, offsetOf, safeLink, type Options } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { failure, quietButton, skeleton, waiting } from "./views.ts";

/** What is said before anything has been fetched, in English: the texts that build.mjs picks. */
declare const CORE_TEXTS: Texts;

// Whoever sends sooner after opening is taken for a machine; a quick visitor is made to wait instead.
const FASTEST_MS = 850;
const FRESH_MS = 60_000;
// Opened on the machine where the visitor works; a phone adds nothing.
const ON_THE_DESK = /^(email|teams|slack|discord|calendly|calcom|matrix)$/;
const ACCENT = "#1f5eff";

export function start(options: Options, gone: () => void): Omit<Switchyard, "version" | "push"> {
  const ending = new AbortController();
  const { signal } = ending;
  let frame: Frame | null = null;
  let locale = options.locale;
  let language: Language = spoken();
  let t: Texts = CORE_TEXTS;
  let config: Config | null = null;
  let configAt = 0;
  let more: typeof More | null = null;
  let outbox: Outbox | null = null;
  let openedAt = 0;
  let visitor: Visitor = {};
  let attributes: Attributes = {};
  let signed: string | undefined;
  let answer: Answer | null = null;
  let typed: Record<string, string> = {};
  /** How the writer of a message wants to talk; undefined leaves it to what they tapped before. */
  let wanted: string | undefined;
  let tries = 0;
  /** Raised by every view: what arrives late for an older one is not shown. */
  let view = 0;

  remembersFor(options.site);
  addEventListener("online", () => void outbox?.deliver(), { signal });
  // A message of an earlier page; without one nothing is fetched here.
  for (const _key of Object.keys(recall().pending || {})) void getMore().then(() => outbox?.deliver());

  function spoken(): Language {
    return languageOf(locale, document.documentElement.lang, navigator.language);
  }

  const words = () => ({ t, language });
  const own = (key: string): string | undefined =>
    config && config.language.split("-")[0] === language.catalogue.split("-")[0] ? config.texts[key] : undefined;

  // --- the frame -------------------------------------------------------------------------------------------------

  function mounted(): Frame {
    if (frame) return frame;
    const made = (frame = new Frame(options));
    made.onToggle = toggle;
    made.onClose = close;
    made.onBack = () => {
      answer = null;
      home();
    };
    speak();
    dress();
    made.attach();
    // Single-page frameworks replace whole documents; the page's focus must never lie below us.
    const watching = new MutationObserver(() => made.attach());
    watching.observe(document.documentElement, { childList: true });
    signal.addEventListener("abort", () => watching.disconnect());
    const look = () => {
      const focused = document.activeElement;
      const isPages = focused && focused !== document.body && focused !== made.host;
      made.giveWay(isPages ? focused.getBoundingClientRect() : null);
    };
    for (const event of ["focusin", "focusout", "scrollend", "resize"]) {
      addEventListener(event, () => requestAnimationFrame(look), { signal, capture: true, passive: true });
    }
    emit("ready");
    return made;
  }

  function speak(): void {
    const launcher = own("launcher") || options.label || launcherLabel(language);
    mounted().speak(language.catalogue, language.rtl, { launcher, chat: t.chat, close: t.close, back: t.back });
  }

  /** The snippet's word counts, then the site's, then ours: before the panel is opened, nobody has asked the server. */
  function dress(): void {
    const theme = config?.theme || {};
    const accent = isColor(options.color) || isColor(theme.accent) || ACCENT;
    // "right" is what nobody has changed: where one reads from right to left, it is the left.
    const side = options.position || (theme.side === "left" ? "left" : "");
    const scheme = options.theme || theme.scheme || "auto";
    const across = theme.offset && !options.offset ? offsetOf(theme.offset) : options.offset;
    mounted().dress({ accent, ink: accent === theme.accent ? isColor(theme.on_accent) : "", side, scheme, offset: across || [20, 20] });
  }

  // --- opening ---------------------------------------------------------------------------------------------------

  function open(opener: Element | null = null): void {
    const { isOpen, host } = mounted();
    host.hidden = false;
    if (isOpen) return;
    const found = spoken();
    if (found.tag !== language.tag) {
      language = found;
      t = more?.en || CORE_TEXTS;
    }
    openedAt = performance.now();
    frame!.mark(false);
    frame!.open(opener);
    frame!.show({ title: t.hello, tall: true, content: [skeleton()] });
    const mine = ++view;
    void ready().then(() => {
      if (mine === view && frame?.isOpen) arrive();
    });
    emit("open");
  }

  /** Fetches what the panel needs, all at once; each part may fail by itself. */
  async function ready(): Promise<void> {
    const { catalogue, tag } = language;
    const parts: Promise<unknown>[] = [getMore()];
    let texts: Partial<Texts> = {};
    if (!config || performance.now() - configAt > FRESH_MS) {
      parts.push(getConfig(options, tag).then((got) => {
        config = got;
        configAt = performance.now();
      }, (status) => {
        config = null;
        emit("error", { doing: "config", status: typeof status === "number" ? status : null });
      }));
    }
    if (catalogue !== "en") parts.push(file(options, `${catalogue}.json`).then((got) => (texts = got), () => {}));
    // What takes longer than a visitor waits is gone on without.
    await Promise.race([Promise.all(parts), later(PATIENCE_MS)]);
    if (signal.aborted || tag !== language.tag) return;
    t = { ...(more?.en || CORE_TEXTS), ...texts }; // what a catalogue lacks is said in English
    speak();
    dress();
  }

  async function getMore(): Promise<void> {
    if (more) return;
    try {
      // A browser asks no second time for a module that did not come from the same address.
      const got: typeof More = await import(fileUrl(options, "more.js") + (tries++ ? `.${tries}` : ""));
      if (more || signal.aborted) return;
      more = got;
      outbox = more.makeOutbox((key, body) => postLead(options, key, body), recall, remember, delivered);
      frame?.style(more.css);
    } catch {
      // The panel says what to do without it.
    }
  }

  /** The first view: what came of the last lead while this page is open, else the choice. */
  function arrive(): void {
    if (answer) show(answer);
    else home();
  }

  function close(returnFocus = true): void {
    if (!frame?.isOpen) return;
    view++;
    frame.close(returnFocus);
    emit("close");
  }

  function toggle(): void {
    if (frame?.isOpen) close();
    else open();
  }

  // --- views -----------------------------------------------------------------------------------------------------

  const fallback = (): string => safeLink(options.fallback) || safeLink(config?.fallback) || safeLink(config?.page_url);

  function home(): void {
    view++;
    wanted = "form";
    const title = own("title") || t.hello;
    if (!more) return mounted().show({ title, tall: true, content: failure(t, fallback(), false, retryOpening) });
    const { caption, channelList, greeting, note } = more;
    const here = config?.online;
    const channels: Channel[] = [];
    for (const channel of config?.channels || []) if (here || channel.id !== "form") channels.push(channel);
    const rows = channels.length > 0 && channelList(channels, words(), choose);
    mounted().show({
      title,
      tall: true,
      intro: config ? greeting(config, recall().agent, own, words()) : [],
      content: [
        ...(config ? [] : failure(t, fallback(), false, retryOpening)),
        outbox?.isWaiting() && note(t.kept),
        ...(here ? [rows] : [caption(t.leave), form(more, {}), rows && caption(t.other), rows]),
      ],
    });
  }

  function retryOpening(): void {
    frame?.close(true);
    open();
  }

  function form({ messageForm }: typeof More, problems: Record<string, string>): HTMLFormElement {
    return messageForm(words(), config?.consent || null, visitor, typed, problems, sendMessage);
  }

  function writeMessage(problems: Record<string, string> = {}, notice = ""): void {
    if (!more) return home();
    view++;
    const made = form(more, problems);
    mounted().show({ title: t.leave, back: true, content: [notice && more.note(notice), made], focus: made.querySelector<HTMLElement>("[aria-invalid], textarea") || undefined });
  }

  /** A lead was taken: the agent's own link, or thanks for a message. `tapped`: it is the answer to a tap just now. */
  function show(taken: Answer, tapped = false): void {
    const mine = ++view;
    const url = taken.channel?.url;
    const phone = matchMedia("(hover: none) and (pointer: coarse)").matches;
    if (!more) {
      // The link is what counts.
      if (url) location.assign(url);
      return home();
    }
    const another = quietButton(t.another, () => frame!.onBack());
    if (tapped && !taken.channel && taken.outcome !== "rejected" && !visitor.email && !visitor.phone) {
      // Nobody takes it now, and nobody knows yet how to reach the visitor: the message joins the lead.
      answer = null;
      wanted = undefined;
      const closed = taken.promise.kind === "opens_at" ? `${own("away") || t.away}. ` : "";
      return writeMessage({}, closed + more.when(taken, words()));
    }
    if (!taken.channel || taken.channel.id === "form") {
      mounted().show({ title: t.leave, back: true, content: [...more.thanks(taken, own("thanks"), words()), another] });
      frame!.announce(t.thanks);
      return;
    }
    const { id, display } = taken.channel;
    // WeChat opens no id from a link; scanned, it is on the phone and ready to be copied.
    const coded = url || (id === "wechat" ? display : "");
    const place = coded && !phone && !ON_THE_DESK.test(id) ? el("div", { class: "qr" }) : null;
    const { title, content, link } = more.card(taken, config?.channels || [], words(), place);
    mounted().show({ title, back: true, content: [...content, another], focus: link || undefined });
    if (place) void drawQr(place, coded, mine);
    // A phone follows the tap in the same tab.
    if (tapped && phone && url) location.assign(url);
  }

  async function drawQr(place: HTMLElement, text: string, mine: number): Promise<void> {
    try {
      const { qr } = await import(fileUrl(options, "qr.js"));
      const { path, size } = qr(text);
      if (mine !== view) return;
      place.appendChild(drawing(path, size));
      place.appendChild(el("small", {}, t.scan));
    } catch {
      // The link is there, with or without a picture of it.
    }
  }

  // --- sending ---------------------------------------------------------------------------------------------------

  function choose(channel: Channel): void {
    emit("channelClick", { channel: channel.id });
    if (channel.id === "form") writeMessage();
    else void sendTap(channel, newId());
  }

  async function bodyOf(fields: Partial<More.Written> & { channel?: string }): Promise<string> {
    const since = () => performance.now() - openedAt;
    if (since() < FASTEST_MS) await later(FASTEST_MS - since());
    return JSON.stringify(bare({
      ...bare(visitor as object),
      ...fields,
      consent: fields.consent && bare(fields.consent),
      visitor_id: visitorId(),
      language: language.tag,
      page_url: location.href,
      referrer: document.referrer || undefined,
      attributes: Object.keys(attributes).length > 0 ? bare(attributes) : undefined,
      signed,
      hp: fields.hp || "",
      ms: Math.round(since()),
    }));
  }

  async function sendTap(channel: Channel, key: string, same?: string): Promise<void> {
    const mine = ++view;
    mounted().show({ title: channel.label, back: true, content: [waiting(t.finding)] });
    const body = same || (await bodyOf({ channel: channel.id }));
    const sent = await postLead(options, key, body);
    if ("answer" in sent) return taken(sent.answer, mine, true);
    failed(sent, mine, false, () => void sendTap(channel, key, body));
  }

  async function sendMessage(written: More.Written, fields: Record<string, string>): Promise<void> {
    typed = fields;
    const mine = ++view;
    mounted().show({ title: t.leave, back: true, content: [waiting(t.sending)] });
    const key = newId();
    const body = await bodyOf({ ...written, channel: wanted });
    outbox?.keep(key, body); // until it has arrived: a tab is closed quickly
    const sent = await postLead(options, key, body);
    const kept = "again" in sent && sent.again;
    if (kept) outbox?.retryLater();
    else outbox?.drop(key);
    if ("answer" in sent || kept) typed = {};
    if ("answer" in sent) return taken(sent.answer, mine);
    failed(sent, mine, kept, () => {
      if (!kept) return writeMessage();
      mounted().show({ title: t.leave, back: true, content: [waiting(t.sending)] });
      void outbox?.deliver().then(() => outbox?.isWaiting() && failed(sent, view, true, retryOpening));
    });
  }

  /** `mine`: the view that waits for it. Whoever closed the panel meanwhile finds the answer when they open it again. */
  function taken(got: Answer, mine: number, tapped = false): void {
    answer = got;
    if (got.agent) remember({ agent: got.agent.name });
    if (frame?.isOpen && mine === view) show(got, tapped);
    emit("assigned", got);
  }

  /** A kept message arrived. */
  function delivered(got: Answer): void {
    answer = got;
    if (frame?.isOpen) show(got);
    else frame?.mark(true);
    emit("assigned", got);
  }

  function failed(sent: Exclude<Sent, { answer: Answer }>, mine: number, kept: boolean, retry: () => void): void {
    emit("error", { doing: "lead", status: sent.status });
    if (!frame?.isOpen || mine !== view) return;
    if ("errors" in sent) {
      const problems: Record<string, string> = {};
      for (const name of Object.keys(sent.errors)) problems[name] = sent.errors[name]![0]!;
      if (problems.message || problems.email || problems.phone) return writeMessage(problems);
    }
    frame.show({ title: t.leave, back: true, content: failure(t, fallback(), kept, retry) });
  }

  // --- what the page may call ------------------------------------------------------------------------------------

  if (options.launcher) {
    document.addEventListener("click", (event) => {
      const { target } = event;
      const opener = target instanceof Element && target.closest(options.launcher);
      if (!opener) return;
      event.preventDefault();
      if (frame?.isOpen) close();
      else open(opener);
    }, { signal });
  }
  if (options.autoStart) mounted();

  return {
    open: () => open(document.activeElement === document.body ? null : document.activeElement),
    close: () => close(),
    toggle,
    show: () => void (mounted().host.hidden = false),
    hide: () => {
      close(false);
      mounted().host.hidden = true;
    },
    setLocale: (tag) => {
      locale = `${tag}`;
      language = spoken();
      t = more?.en || CORE_TEXTS;
      configAt = -FRESH_MS;
      if (!frame) return;
      speak();
      if (frame.isOpen) {
        const mine = ++view;
        void ready().then(() => mine === view && arrive());
      }
    },
    setVisitor: (given) => {
      const { name, email, phone } = given || {};
      visitor = { name, email, phone };
    },
    setAttributes: (given, signature) => {
      attributes = { ...given };
      signed = signature;
    },
    destroy: () => {
      close(false);
      ending.abort();
      outbox?.stop();
      frame?.host.remove();
      frame = null;
      gone();
    },
    on,
  };
}

/* Switchyard widget: pick a channel, land with the right person. Apache-2.0. */
(() => {
  "use strict";

  const script = document.currentScript || document.querySelector("script[data-site]");
  if (!script || window.switchyard) return; // a second copy on the page does nothing
  const api = new URL(`/api/v1/widgets/${encodeURIComponent(script.dataset.site)}/`, script.src);
  const openedAt = { ms: 0 };
  window.switchyard = Object.freeze({ version: 1 });

  const TEXTS = {
    en: { open: "Talk to us", title: "How would you like to talk?", close: "Close", away: "We are away until", send: "Send", message: "Your message", name: "Your name", contact: "E-mail or phone", with: "You are talking to", go: "Continue on", thanks: "Thank you. We have your message.", failed: "That did not work. Please try again.", busy: "One moment …" },
    es: { open: "Habla con nosotros", title: "¿Cómo prefieres hablar?", close: "Cerrar", away: "Volvemos el", send: "Enviar", message: "Tu mensaje", name: "Tu nombre", contact: "Correo o teléfono", with: "Te atiende", go: "Continuar en", thanks: "Gracias. Hemos recibido tu mensaje.", failed: "No ha funcionado. Inténtalo de nuevo.", busy: "Un momento…" },
    fr: { open: "Parlons-en", title: "Comment préférez-vous échanger ?", close: "Fermer", away: "De retour le", send: "Envoyer", message: "Votre message", name: "Votre nom", contact: "E-mail ou téléphone", with: "Votre interlocuteur :", go: "Continuer sur", thanks: "Merci. Nous avons bien reçu votre message.", failed: "Cela n’a pas fonctionné. Veuillez réessayer.", busy: "Un instant…" },
    de: { open: "Sprechen Sie mit uns", title: "Wie möchten Sie sprechen?", close: "Schließen", away: "Wieder da am", send: "Senden", message: "Ihre Nachricht", name: "Ihr Name", contact: "E-Mail oder Telefon", with: "Für Sie da:", go: "Weiter mit", thanks: "Danke. Ihre Nachricht ist angekommen.", failed: "Das hat nicht geklappt. Bitte noch einmal versuchen.", busy: "Einen Moment …" },
    pt: { open: "Fale connosco", title: "Como prefere falar?", close: "Fechar", away: "Voltamos a", send: "Enviar", message: "A sua mensagem", name: "O seu nome", contact: "E-mail ou telefone", with: "Vai falar com", go: "Continuar no", thanks: "Obrigado. Recebemos a sua mensagem.", failed: "Não funcionou. Tente de novo.", busy: "Um momento…" },
  };

  const CSS = `
    :host { all: initial; position: fixed; inset-block-end: 16px; inset-inline-end: 16px; z-index: 2147483000; font: 16px/1.45 system-ui, sans-serif; color: #14213d; }
    * { box-sizing: border-box; font: inherit; }
    button, a.go { cursor: pointer; min-block-size: 44px; border: 0; border-radius: 12px; padding: 10px 16px; text-align: start; text-decoration: none; }
    .launch, .go, .send { display: block; background: #1d4ed8; color: #fff; font-weight: 600; }
    .launch { border-radius: 999px; box-shadow: 0 6px 24px rgb(0 0 0 / .25); margin-inline-start: auto; }
    .panel { inline-size: min(340px, calc(100vw - 32px)); max-block-size: calc(100vh - 110px); overflow: auto; margin-block-end: 12px; padding: 18px; border-radius: 18px; background: #fff; box-shadow: 0 12px 48px rgb(0 0 0 / .3); }
    .panel[hidden] { display: none; }
    header { display: flex; align-items: center; justify-content: space-between; gap: 8px; margin-block-end: 10px; }
    h2 { margin: 0; font-size: 18px; font-weight: 700; }
    .close { min-block-size: 32px; min-inline-size: 32px; padding: 4px 10px; background: none; color: inherit; font-size: 20px; line-height: 1; }
    .channel { display: flex; align-items: center; gap: 10px; inline-size: 100%; margin-block: 6px; background: #eef2ff; color: inherit; }
    .channel::before { content: ""; inline-size: 9px; block-size: 9px; border-radius: 50%; background: #94a3b8; }
    .channel[data-online=true]::before { background: #16a34a; }
    .note { margin: 4px 0 10px; color: #475569; font-size: 14px; }
    label { display: block; margin-block: 8px; font-size: 14px; }
    input, textarea { display: block; inline-size: 100%; margin-block-start: 3px; padding: 9px; border: 1px solid #94a3b8; border-radius: 9px; background: #fff; color: #14213d; }
    .hp { position: absolute; inset-inline-start: -9999px; }
    .who { margin: 6px 0 12px; font-size: 17px; font-weight: 600; }
    :focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
    @media (prefers-color-scheme: dark) {
      :host { color: #e2e8f0; }
      .panel { background: #0f172a; border: 1px solid #475569; } .channel { background: #1e293b; } .note { color: #94a3b8; }
      input, textarea { background: #1e293b; color: #e2e8f0; border-color: #475569; }
    }`;

  const language = document.documentElement.lang || navigator.language || "en";
  const say = TEXTS[language.split("-")[0].toLowerCase()] || TEXTS.en;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick" || name === "onsubmit") made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // The visitor's own id: made and kept only once they act, so that a later visit meets the same person again.
  function visitorId() {
    const fresh = crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    try {
      const kept = localStorage.getItem("switchyard.visitor");
      if (kept) return kept;
      localStorage.setItem("switchyard.visitor", fresh);
    } catch {
      /* storage is closed to us: this visit alone */
    }
    return fresh;
  }

  // Whoever sends sooner after opening is taken for a machine; a quick visitor is made to wait instead.
  const FASTEST_MS = 850;

  async function submit(fields) {
    await new Promise((done) => setTimeout(done, Math.max(0, FASTEST_MS - (performance.now() - openedAt.ms))));
    const body = { ...fields, visitor_id: visitorId(), language, page_url: location.href, referrer: document.referrer || undefined, hp: "", ms: Math.round(performance.now() - openedAt.ms) };
    const key = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await fetch(new URL("leads", api), { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": key }, body: JSON.stringify(body) });
        if (answer.ok) return await answer.json();
        if (answer.status < 500 || attempt === 3) throw new Error(`HTTP ${answer.status}`);
      } catch (problem) {
        if (attempt === 3 || /^HTTP 4/.test(problem.message)) throw problem; // the same key: a repeat cannot make a second lead
      }
      await new Promise((done) => setTimeout(done, 400 * attempt));
    }
  }

  function build(config) {
    const host = element("div", { "data-switchyard": "" });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];

    const content = element("div", { "aria-live": "polite" });
    const panel = element("section", { class: "panel", role: "dialog", "aria-label": say.title, hidden: "" },
      element("header", {}, element("h2", {}, say.title), element("button", { class: "close", type: "button", "aria-label": say.close, onclick: () => toggle(false) }, "×")),
      content);
    const launch = element("button", { class: "launch", type: "button", "aria-expanded": "false", onclick: () => toggle(panel.hidden) }, say.open);
    root.append(panel, launch);
    root.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));

    function toggle(open) {
      panel.hidden = !open;
      launch.setAttribute("aria-expanded", String(open));
      if (open) {
        openedAt.ms = performance.now();
        choices();
        panel.querySelector("button.channel, button.close").focus();
      } else launch.focus();
    }

    function choices(problem) {
      const away = config.online || !config.opens_at ? [] : [element("p", { class: "note" }, `${say.away} ${new Intl.DateTimeFormat(language, { weekday: "long", hour: "numeric", minute: "2-digit" }).format(new Date(config.opens_at))}`)];
      content.replaceChildren(...(problem ? [element("p", { class: "note", role: "alert" }, problem)] : []), ...away,
        ...config.channels.map((channel) => element("button", { class: "channel", type: "button", "data-channel": channel.id, "data-online": String(channel.online), onclick: () => (channel.id === "form" ? form() : choose({ channel: channel.id })) }, channel.label)));
    }

    function form() {
      const fields = element("form", { onsubmit: (event) => {
        event.preventDefault();
        const given = Object.fromEntries(new FormData(fields));
        const contact = given.contact.includes("@") ? { email: given.contact } : { phone: given.contact };
        choose({ channel: "form", message: given.message, ...(given.name && { name: given.name }), ...(given.contact && contact) });
      } },
      element("label", {}, say.message, element("textarea", { name: "message", rows: "3", required: "" })),
      element("label", {}, say.name, element("input", { name: "name", autocomplete: "name" })),
      element("label", {}, say.contact, element("input", { name: "contact", required: "" })),
      element("button", { class: "send", type: "submit" }, say.send));
      content.replaceChildren(fields);
      fields.querySelector("textarea").focus();
    }

    async function choose(fields) {
      content.replaceChildren(element("p", { class: "note" }, say.busy));
      try {
        land(await submit(fields));
      } catch {
        choices(say.failed);
      }
    }

    function land(answer) {
      document.dispatchEvent(new CustomEvent("switchyard:assigned", { detail: answer }));
      const url = answer.channel && answer.channel.url;
      const label = answer.channel && (config.channels.find((channel) => channel.id === answer.channel.id) || {}).label;
      const parts = [];
      if (answer.agent) parts.push(element("p", { class: "note" }, say.with), element("p", { class: "who" }, answer.agent.name));
      if (url) parts.push(element("a", { class: "go", href: url, target: "_blank", rel: "noopener noreferrer" }, `${say.go} ${label || answer.channel.id}`));
      else parts.push(element("p", { class: "who" }, say.thanks));
      if (answer.promise && answer.promise.text) parts.push(element("p", { class: "note" }, answer.promise.text));
      content.replaceChildren(...parts);
      if (url) content.querySelector("a").focus();
      if (url && matchMedia("(pointer: coarse)").matches) location.assign(url); // a phone follows the tap in the same tab
    }

    document.body.append(host);
  }

  async function start() {
    const answer = await fetch(new URL("config", api));
    if (answer.ok) build(await answer.json());
  }

  const run = () => start().catch(() => {});
  if (document.body) run();
  else addEventListener("DOMContentLoaded", run, { once: true });
})();

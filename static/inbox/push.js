"use strict";

// Switches the notifications of this browser on and off. What it is now stands in [data-state].
(() => {
  const box = document.getElementById("push");
  const isSupported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

  const show = (state) => {
    for (const text of box.querySelectorAll("[data-state]")) text.hidden = text.dataset.state !== state;
    box.querySelector("[data-do=on]").hidden = !["off", "failed"].includes(state);
    box.querySelector("[data-do=off]").hidden = state !== "on";
  };

  const bytes = (text) => {
    const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
    return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
  };

  // The page knows the browsers it may show notifications in by a digest: their addresses are nobody's business.
  const isKnown = async (endpoint) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)));
    const text = Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return box.dataset.known.split(" ").includes(text);
  };

  const post = async (address, body) => {
    const token = box.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(String(answer.status));
  };

  const subscription = async () => (await navigator.serviceWorker.ready).pushManager.getSubscription();

  const look = async () => {
    if (!isSupported) return show("unsupported");
    if (Notification.permission === "denied") return show("denied");
    const now = await subscription();
    return show(now && (await isKnown(now.endpoint)) ? "on" : "off");
  };

  const on = async () => {
    if ((await Notification.requestPermission()) !== "granted") return look();
    const worker = await navigator.serviceWorker.ready;
    // One made with another key would get nothing from here.
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    const made = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(box.dataset.key),
    });
    await post(box.dataset.subscribe, made.toJSON());
    return location.reload();
  };

  const off = async () => {
    const now = await subscription();
    if (now) {
      await post(box.dataset.unsubscribe, { endpoint: now.endpoint });
      await now.unsubscribe();
    }
    return location.reload();
  };

  for (const [name, act] of Object.entries({ on, off })) {
    const button = box.querySelector(`[data-do=${name}]`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      await act().catch(() => show("failed"));
      button.disabled = false;
    });
  }
  look().catch(() => show("unsupported"));
})();

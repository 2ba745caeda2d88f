// In the preview of a site: answers the widget in the server's place, so that nothing that is done here reaches anybody.
"use strict";

{
    const config = JSON.parse(document.getElementById("config").textContent);
    const asIs = window.fetch;

    const answer = (channel) => ({
        id: "preview",
        outcome: "assigned",
        agent: { name: "Alex Example", title: "", photo_url: null },
        channel: channel === "form" ? null : { id: channel, url: "https://example.com/", display: "…" },
        reference: "EXAMPLE",
        promise: { kind: "now", at: null, text: "" },
        status_url: null,
    });

    window.fetch = async (address, given = {}) => {
        if (!new URL(address, document.baseURI).pathname.startsWith("/api/")) {
            return asIs(address, given);
        }
        const says = given.method === "POST" ? answer(JSON.parse(given.body).channel || "form") : config;
        return new Response(JSON.stringify(says), { headers: { "Content-Type": "application/json" } });
    };

    window.switchyard = [["open"]];
}

{% load static %}// Makes the inbox installable and shows notifications. It keeps nothing: pages hold people's data.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const told = event.data ? event.data.json() : {};
  event.waitUntil(
    self.registration.showNotification(told.title || "Switchyard", {
      body: told.body || "",
      tag: told.id,
      icon: "{% static 'inbox/icon-192.png' %}",
      data: { url: told.url },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url || "{% url 'inbox:home' %}"));
});

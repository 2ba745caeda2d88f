// The widget tells the page when a lead was taken; the page asks who got it and why.
(window.switchyard ||= []).push(["on", "assigned", (answer) => {
  const why = document.getElementById("why");
  const token = new URL(answer.status_url).pathname.split("/").filter(Boolean).pop();
  htmx.ajax("GET", why.dataset.why.replace("TOKEN", encodeURIComponent(token)), { target: why });
}]);

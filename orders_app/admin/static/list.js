// A list that changes in place: what is said of it, that it is busy, and where the focus goes.
"use strict";

(() => {
  const list = () => document.getElementById("list");
  const told = document.getElementById("told");
  const isOf = (event) => event.detail.ctx.select === "#list" || event.detail.ctx.target === list();
  const textOf = (selector) => (list().querySelector(selector)?.textContent ?? "").replace(/\s+/g, " ").trim().replace(/\.$/, "");

  // Filters that are not used have no place in the address.
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    for (const [name, value] of isOf(event) ? [...request.body] : []) {
      if (value === "") {
        request.body.delete(name);
      }
    }
  });

  document.addEventListener("htmx:before:request", (event) => {
    if (isOf(event)) {
      list().setAttribute("aria-busy", "true");
    }
  });
  document.addEventListener("htmx:finally:request", () => list().removeAttribute("aria-busy"));

  document.addEventListener("htmx:after:swap", (event) => {
    if (!isOf(event)) {
      return;
    }
    // What was said of the list as it was, as on any new page.
    document.getElementById("messages").replaceChildren();
    // Whoever has asked goes on with what came: in a field the keys of the list would be letters.
    if (event.detail.ctx.sourceEvent?.type === "submit") {
      const wrong = list().querySelector(".filters [aria-invalid]");
      (wrong ?? document.getElementById("list-name")).focus({ preventScroll: !wrong });
    } else if (document.activeElement === document.body) {
      document.getElementById("list-name").focus({ preventScroll: true });
    }
    const news = ["h1", ".empty", ".pages > span"].map(textOf).filter(Boolean);
    told.textContent = "";
    // Said anew even where it is the same: a list in another order has as many rows.
    setTimeout(() => {
      told.textContent = news.join(". ");
    }, 50);
  });
})();

// What makes the panel quick: keys, ticking of rows, dialogs. Everything works without it, a page at a time.
"use strict";

(() => {
  const isTyping = (element) =>
    element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;

  // The server writes times as the browser's owner reads them, and no header says where they are.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`orders_time_zone=${zone}`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `orders_time_zone=${zone}; Path=/admin; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  // Dialogs: a button names the one that it opens.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      document.getElementById(opener.dataset.open).showModal();
    }
    const closer = event.target.closest("[data-close]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
    }
  });

  // Menus close like any other: by a click beside them, or Escape, which leads back to their button.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = menu.contains(event.target);
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" ? document.querySelector("details.menu[open]") : null;
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A field that is there to be copied: all of it is selected on entering it, and a button copies it.
  const selectToCopy = (field) => {
    if (field.matches("[data-copy]")) {
      field.select();
    }
  };
  document.addEventListener("focusin", (event) => selectToCopy(event.target));
  // The browser may have entered an autofocus field before this script came.
  selectToCopy(document.activeElement ?? document.body);
  for (const button of navigator.clipboard ? document.querySelectorAll("[data-copies]") : []) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copies);
      field.select();
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.done;
    });
  }

  // Ticking: one box for all rows of the page, and how many are ticked beside what can be done with them.
  const ticks = () => [...document.querySelectorAll("td.pick input[type=checkbox]")];
  const count = () => {
    const all = ticks();
    const ticked = all.filter((box) => box.checked).length;
    for (const row of all) {
      row.closest("tr").classList.toggle("ticked", row.checked);
    }
    const every = document.getElementById("tick-all");
    if (every) {
      every.checked = ticked > 0 && ticked === all.length;
      every.indeterminate = ticked > 0 && ticked < all.length;
    }
    const shown = document.getElementById("ticked");
    if (shown) {
      shown.textContent = ticked ? shown.dataset.some.replace("0", String(ticked)) : shown.dataset.none;
      for (const button of document.querySelectorAll("#selected button")) {
        button.disabled = ticked === 0;
      }
    }
  };
  // With the shift key: all rows from the last one that was clicked to this one.
  let clicked = null;
  document.addEventListener("click", (event) => {
    if (!event.target.matches("td.pick input[type=checkbox]")) {
      return;
    }
    const all = ticks();
    const ends = [all.indexOf(clicked), all.indexOf(event.target)].sort((one, other) => one - other);
    if (event.shiftKey && ends[0] >= 0) {
      for (const box of all.slice(ends[0], ends[1] + 1)) {
        box.checked = event.target.checked;
      }
    }
    clicked = event.target;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "tick-all") {
      for (const box of ticks()) {
        box.checked = event.target.checked;
      }
    }
    if (event.target.matches("#tick-all, td.pick input")) {
      count();
    }
    if (event.target.matches("[data-send]")) {
      event.target.form.requestSubmit();
    }
  });
  document.addEventListener("htmx:after:swap", count);

  // A link that is opened in another tab or window is the browser's alone; htmx would keep it from that.
  const isAside = (event) => event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  document.addEventListener(
    "click",
    (event) => {
      if (isAside(event) && event.target.closest("a[href]")) {
        event.stopPropagation();
      }
    },
    { capture: true },
  );

  // Parts of pages that are fetched. An answer without the part is a page of its own: an error, or another address.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (ctx.select && tasks.some((task) => task.type === "main" && task.fragment.childElementCount === 0)) {
      event.preventDefault();
      location.assign(ctx.request.action);
    }
  });
  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx) {
      return;
    }
    const messages = document.getElementById("messages");
    const failed = document.createElement("p");
    failed.className = "message error";
    failed.setAttribute("role", "alert");
    failed.textContent = messages.dataset.failed;
    messages.replaceChildren(failed);
    failed.scrollIntoView({ block: "nearest" });
  });
  window.addEventListener("pageshow", count);

  // Keys.
  const rows = () => [...document.querySelectorAll("table[data-rows] > tbody > tr")];
  const move = (step) => {
    const all = rows();
    if (all.length === 0) {
      return;
    }
    const here = all.findIndex((row) => row.classList.contains("here"));
    const next = Math.min(Math.max(here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step, 0), all.length - 1);
    for (const row of all) {
      row.classList.remove("here");
    }
    all[next].classList.add("here");
    all[next].scrollIntoView({ block: "nearest" });
    const link = all[next].querySelector("a");
    if (link) {
      link.focus({ preventScroll: true });
    }
  };
  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) {
      link.click();
    }
    return link !== null;
  };
  const keys = {
    "/": () => {
      const search = document.querySelector("input[type=search]");
      if (search) {
        search.focus();
        search.select();
      } else {
        follow('[data-key="g o"]');
      }
    },
    "?": () => document.getElementById("keys").showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: () => {
      const box = document.querySelector("tr.here td.pick input");
      if (box) {
        box.click();
      }
    },
    e: () => follow('[data-key="e"]'),
    "[": () => follow('[rel="prev"]'),
    "]": () => follow('[rel="next"]'),
  };

  let before = "";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (document.querySelector("dialog[open]") || !document.getElementById("keys")) {
      return;
    }
    const both = `${before} ${event.key}`;
    before = event.key === "g" ? "g" : "";
    const direct = both.startsWith("g ") ? both : event.key;
    if (follow(`#keys [data-key="${CSS.escape(direct)}"]`)) {
      event.preventDefault();
    } else if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();

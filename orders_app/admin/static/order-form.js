// Adds and removes lines without a round trip. Without this file the same buttons ask the server.
"use strict";

(() => {
  // The form may be loaded into the page of the order after this file.
  const rows = () => document.getElementById("lines");
  const columns = ["name", "price", "quantity"];

  const renumber = () => {
    const lines = rows();
    for (const [number, row] of [...lines.rows].entries()) {
      for (const column of columns) {
        const input = row.querySelector(`[name="line-${column}"]`);
        const label = input.closest("td").dataset.label;
        input.id = `line-${number}-${column}`;
        input.setAttribute("aria-label", lines.dataset.ofLine.replace("WHAT", label).replace("0", String(number + 1)));
      }
      const remove = row.querySelector('[name="remove_line"]');
      remove.value = String(number);
      remove.setAttribute("aria-label", lines.dataset.remove.replace("0", String(number + 1)));
    }
  };

  const blank = (row) => {
    row.classList.remove("wrong");
    for (const input of row.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
    for (const notes of row.querySelectorAll(".notes")) {
      notes.remove();
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#order-form button");
    const lines = rows();
    if (!button || !lines) {
      return;
    }
    const form = button.form;
    const last = lines.rows[lines.rows.length - 1];
    if (!last) {
      return;
    }
    if (button.name === "add_line") {
      event.preventDefault();
      const row = last.cloneNode(true);
      blank(row);
      lines.append(row);
      renumber();
      row.querySelector('[name="line-name"]').focus();
    } else if (button.name === "remove_line") {
      event.preventDefault();
      const row = button.closest("tr");
      if (lines.rows.length === 1) {
        blank(row);
      } else {
        row.remove();
      }
      renumber();
      form.querySelector('[name="add_line"]').focus();
    }
  });
})();

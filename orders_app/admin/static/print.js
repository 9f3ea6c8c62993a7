// The button of the page for paper.
"use strict";

document.querySelector("[data-print]").addEventListener("click", () => window.print());

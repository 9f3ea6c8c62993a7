// Import: a file that is too large is told before it is sent, and the parts of an import are asked for one after another.
"use strict";

(() => {
  const file = document.getElementById("file");
  if (file) {
    file.addEventListener("change", () => {
      const isTooLarge = [...file.files].some((one) => one.size > Number(file.dataset.most));
      file.setCustomValidity(isTooLarge ? file.dataset.tooLarge : "");
      file.reportValidity();
    });
    const sending = document.getElementById("sending");
    const send = document.querySelector("#import-file button");
    file.form.addEventListener("submit", () => {
      sending.textContent = file.form.dataset.busy;
      send.disabled = true;
    });
    // Whoever comes back to the page sends another one.
    window.addEventListener("pageshow", () => {
      sending.textContent = "";
      send.disabled = false;
    });
  }

  const form = document.getElementById("import-run");
  const pause = document.getElementById("pause");
  if (!form || !pause) {
    return;
  }
  const bar = document.getElementById("bar");
  const go = document.getElementById("go");
  const told = document.getElementById("told");
  // Others may be at work on the file, or the server restarts: that is over soon.
  const patience = [500, 2000, 5000];
  const later = new Set([409, 429, 502, 503, 504]);
  let isRunning = false;

  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  const ask = async () => {
    for (const milliseconds of [...patience, null]) {
      let answer = null;
      try {
        answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Import-Part": "1" } });
      } catch {
        answer = null;
      }
      if (answer && answer.ok && (answer.headers.get("Content-Type") || "").startsWith("application/json")) {
        return answer.json();
      }
      if (milliseconds === null || !isRunning || (answer && !later.has(answer.status))) {
        // A page where an answer was asked for: the log-in has ended, or the file is gone. The page tells.
        return answer && !later.has(answer.status) ? { finished: true } : null;
      }
      await wait(milliseconds);
    }
    return null;
  };

  const stop = (why) => {
    isRunning = false;
    go.hidden = false;
    go.textContent = form.dataset.goOn;
    pause.hidden = true;
    told.textContent = why;
    go.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isRunning) {
      return;
    }
    isRunning = true;
    document.getElementById("progress").hidden = false;
    for (const part of document.querySelectorAll("[data-before]")) {
      part.hidden = true;
    }
    go.hidden = true;
    pause.hidden = false;
    pause.focus();
    told.textContent = form.dataset.busy;
    let tenth = 0;
    while (isRunning) {
      const state = await ask();
      if (!state) {
        stop(form.dataset.failed);
        return;
      }
      if (state.finished) {
        location.reload();
        return;
      }
      bar.max = state.wanted;
      bar.value = state.done;
      document.getElementById("far").textContent = state.text;
      // Said now and then: at every part it would drown out all else.
      const now = Math.floor((10 * state.done) / state.wanted);
      if (now > tenth) {
        tenth = now;
        told.textContent = state.text;
      }
    }
    stop(form.dataset.paused);
  });

  pause.addEventListener("click", () => {
    isRunning = false;
  });
})();

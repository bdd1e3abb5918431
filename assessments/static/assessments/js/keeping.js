// Keeps what one answers. A page of questions is sent as one goes: one request at a time, the same
// again until the server acknowledges it, so that answers arrive in order, and once. Whatever a
// button sends waits for a network that is away. Without scripts, a page is saved by its buttons.
"use strict";

(() => {
  // ms after the last choice, and the page is sent. Reloaded within them, it is in conflict with itself.
  const PAUSE = 250;
  const PATIENCE = 15000; // ms that the server has to answer
  const WAITS = [1000, 2000, 4000, 8000, 15000]; // ms before the same is sent again
  const notice = document.getElementById("keeping"); // what there is to say, and where
  if (!notice || !HTMLFormElement.prototype.requestSubmit) return;

  let away = ""; // which of the two is: "network" or "service"
  const say = (words) => { notice.textContent = words; };
  const tell = (what) => say(notice.dataset[away + what]);

  const pause = (wait) => new Promise((go) => {
    setTimeout(go, wait * (0.75 + Math.random() / 2)); // not everybody at once
    addEventListener("online", go, { once: true });
  });

  // What the server answers, once it does. What is not from it (a proxy that gives up, the sign-in
  // page of a guest network) is no answer, nor is what breaks off.
  const reach = async (address, options, read, words) => {
    for (let tries = 0; ; tries += 1) {
      let failing = "network";
      try {
        const answer = await fetch(address, {
          ...options, cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE),
        });
        const overloaded = answer.status >= 500 || [408, 425, 429].includes(answer.status);
        if (overloaded) failing = "service";
        const told = !overloaded && await read(answer);
        if (told) return told;
      } catch { /* the network is away */ }
      away = failing;
      tell(words());
      await pause(WAITS[Math.min(tries, WAITS.length - 1)]);
    }
  };

  const isBack = () => {
    if (!away) return;
    tell("Back");
    const said = notice.textContent;
    away = "";
    setTimeout(() => { if (!away && notice.textContent === said) say(""); }, 8000);
  };

  // A page of questions.
  const keep = (form) => {
    let changed = false; // since it was sent last
    let sending = false;
    let pressed = null; // the button that goes on, once all is kept
    let natively = false; // the server has something to show: the form is sent like any other
    let timer;

    const send = (name, value) => {
      const body = new URLSearchParams(new FormData(form)); // as the form itself is sent
      if (name) body.append(name, value);
      return reach(
        form.action,
        { method: "POST", body, headers: { Accept: "application/json" }, keepalive: true },
        async (answer) => {
          if (answer.ok) return answer.json();
          return { said: notice.dataset.refused, ...await answer.json().catch(() => null) };
        },
        () => (pressed ? "Waits" : "Stays"),
      );
    };

    const drain = async () => {
      clearTimeout(timer);
      if (sending || natively) return;
      sending = true;
      while (changed || pressed) {
        const going = changed ? null : pressed;
        changed = false;
        const told = await (going ? send(going.name, going.value) : send("go", "keep"));
        if (told.said) {
          natively = true;
          hold(form);
          say(told.said);
          if (pressed) form.requestSubmit(pressed);
          break;
        }
        isBack();
        if (told.seen) {
          form.elements.seen.value = told.seen;
          document.getElementById("kept").hidden = !told.whole;
        } else if (!changed && pressed === going) { // or one has changed one's mind
          pressed = null;
          location.assign(told.next);
        }
      }
      sending = false;
    };

    form.addEventListener("change", () => {
      changed = true;
      clearTimeout(timer);
      timer = setTimeout(drain, PAUSE);
    });
    form.addEventListener("submit", (event) => {
      if (natively) return;
      event.preventDefault();
      pressed = event.submitter || form.querySelector("[type=submit]");
      drain();
    });
    document.addEventListener("visibilitychange", () => { if (document.hidden) drain(); });
    addEventListener("beforeunload", (event) => {
      if (natively) return;
      drain();
      if (changed || (away && sending)) event.preventDefault();
    });
    addEventListener("offline", () => {
      if (natively) return; // nothing is sent any more when it is back
      away = "network";
      tell(pressed ? "Waits" : "Stays");
    });
    addEventListener("online", () => {
      if (changed) drain();
      else if (!sending && !natively) isBack();
    });
  };

  // Any other form: it is sent once the server can be reached.
  const hold = (form) => {
    let holding = false;
    let reached = false;
    let pressed; // the last button is the one that is meant
    form.addEventListener("submit", async (event) => {
      if (reached || event.defaultPrevented) return;
      event.preventDefault();
      pressed = event.submitter;
      if (holding) return;
      holding = true;
      const icon = document.querySelector("link[rel=icon]").href;
      const isIcon = (answer) => answer.ok && /svg/.test(answer.headers.get("Content-Type"));
      await reach(icon, { method: "HEAD" }, isIcon, () => "Waits");
      isBack();
      reached = true;
      form.requestSubmit(pressed);
      reached = holding = false;
    });
  };

  for (const form of document.querySelectorAll("main form[method=post]")) {
    ("keep" in form.dataset ? keep : hold)(form);
  }

  // A page that a browser kept to go back to may be another person's by now.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();

// Looks again by itself at how far a job is. Without scripts, there is a link to look again.
"use strict";

const EVERY = 2000;

const look = async () => {
  const shown = document.getElementById("progress");
  if (!shown || !("goesOn" in shown.dataset)) return;
  try {
    const answer = await fetch(shown.dataset.job);
    if (answer.redirected) return location.replace(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = answer.ok && page.getElementById("progress");
    if (found) update(shown, found);
  } catch { /* the network is away: look again */ }
  setTimeout(look, EVERY);
};

// The region itself stays, so that what changes in it is read out, and nothing else is.
const update = (shown, found) => {
  if (!("goesOn" in found.dataset)) delete shown.dataset.goesOn;
  if (shown.textContent === found.textContent) return;
  const had = document.activeElement;
  const held = shown.contains(had);
  const [bar, now] = [shown, found].map((each) => each.querySelector("progress"));
  const [label, says] = [shown, found].map((each) => each.querySelector("label"));
  const help = (each) => each.querySelector(".help")?.textContent;
  if (bar && now && help(shown) === help(found)) {
    bar.value = now.value;
    bar.textContent = now.textContent;
    label.textContent = says.textContent;
    return;
  }
  shown.replaceChildren(...found.childNodes);
  if (held) shown.querySelector("a, button")?.focus();
};

setTimeout(look, EVERY);

// The keys of a keyboard or a remote control. Without scripts, there are the links.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key === " " ? (event.shiftKey ? "PageUp" : "Space") : event.key;
  const link = document.querySelector(`a[data-key~="${CSS.escape(key)}"]`);
  if (!link) return;
  // What does not fit on the screen is read first.
  const root = document.documentElement;
  const below = root.scrollHeight - root.clientHeight - root.scrollTop > 2;
  if (below && ["Space", "PageDown"].includes(key)) return;
  if (root.scrollTop > 2 && key === "PageUp") return;
  event.preventDefault();
  link.click();
});

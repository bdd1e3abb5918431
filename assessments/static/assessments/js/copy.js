// A copy button beside each field that has data-copy, the button's name, and data-copied, what it
// says afterwards. Without scripts, one selects and copies.
"use strict";

if (navigator.clipboard) {
  for (const field of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = field.dataset.copy;
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value);
      said.textContent = field.dataset.copied;
      setTimeout(() => { said.textContent = ""; }, 3000);
    });
    if (field.labels.length) {
      field.labels[0].id = `${field.id}-label`;
      button.id = `${field.id}-copy`;
      button.setAttribute("aria-labelledby", `${button.id} ${field.id}-label`);
    }
    field.after(button, said);
  }
}

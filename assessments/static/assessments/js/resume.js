// The QR code's link carries the resume code in its fragment, which browsers send to nobody.
// It is put in the form and taken out of the address bar and the history; the person sends it,
// after reading whose code it should be.
(() => {
  const code = decodeURIComponent(location.hash.slice(1));
  const form = document.getElementById("resume-form");
  if (!code || !form) return;
  history.replaceState(null, "", location.pathname);
  form.elements.code.value = code.replace(/(.{4})(?=.)/g, "$1-");
  form.querySelector("button[type=submit]").focus();
})();

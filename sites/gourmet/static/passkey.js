// Asks the browser for a passkey, or to make one, and sends its answer in an ordinary form.
"use strict";
(() => {
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const challenge = (form) => new TextEncoder().encode(form.dataset.challenge);

  const make = (form) => navigator.credentials.create({ publicKey: {
    challenge: challenge(form),
    rp: { id: form.dataset.party, name: "Quince & Barrel" },
    user: { id: new TextEncoder().encode(form.dataset.user), name: form.elements.who.value, displayName: form.elements.who.value },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none",
  } });

  const use = (form) => navigator.credentials.get({ publicKey: {
    challenge: challenge(form), rpId: form.dataset.party, userVerification: "required",
  } });

  const answer = (credential) => {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
  };

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    for (const words of document.querySelectorAll("[data-without]")) words.hidden = true;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const error = form.querySelector(".error");
      error.hidden = true;
      try {
        const credential = await (form.dataset.passkey === "create" ? make(form) : use(form));
        form.elements.passkey.value = answer(credential);
        if (form.elements.who) form.elements.who.disabled = true;
        form.submit();
      } catch {
        error.hidden = false;
      }
    });
  }
})();

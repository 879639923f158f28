// Writes to the API from a page, with the cookie of whoever looks at it.

// The answer to a body; what was refused is an error that says why.
export async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail ?? `status ${answer.status}`);
  return said;
}

// Lets a form do something once at a time, and shows in the form why it was refused.
export function handles(form, act) {
  const trouble = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const pressed = event.submitter;
    if (pressed) pressed.disabled = true;
    trouble.hidden = true;
    try {
      await act(new FormData(form), pressed);
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    } finally {
      if (pressed) pressed.disabled = false;
    }
  });
}

// Writes to the API from a page, with the cookie of whoever looks at it.

const LOGGED_OUT = "You are logged out: log in again in another tab, and send this once more.";

// An answer, and what its body says.
export async function exchange(method, address, body, headers = {}) {
  const answer = await fetch(address, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { answer, said: await answer.json() };
}

// Why something was refused, as an error.
export function refusal(answer, said) {
  return new Error(answer.status === 401 ? LOGGED_OUT : (said.detail ?? `status ${answer.status}`));
}

// The answer to a body; what was refused is an error that says why.
export async function send(address, body) {
  const { answer, said } = await exchange("POST", address, body);
  if (!answer.ok) throw refusal(answer, said);
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

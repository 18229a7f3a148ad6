// Choosing a password: the token behind "#" and the password go to the API, and what it answers is shown.
"use strict";

const form = document.getElementById("choose");
const said = document.getElementById("said");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname); // out of the address bar and the history

const SPENT = "This link is not complete. Open it from the mail again, or ask for another.";
const AWAY = "The server cannot be reached. Try again in a moment.";

if (!token) {
  form.hidden = true;
  said.textContent = SPENT;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.password.value;
  if (password !== form.elements.again.value) {
    said.textContent = "The two passwords differ.";
    form.elements.again.focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = "";
  try {
    const answer = await fetch(form.dataset.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify({ token, password }),
    });
    if (answer.ok) {
      form.hidden = true;
      said.textContent = form.dataset.done;
      return;
    }
    const problem = await answer.json();
    said.textContent = (problem.errors || []).map((error) => error.detail).join(" ") || problem.detail || problem.title;
  } catch {
    said.textContent = AWAY;
  } finally {
    button.disabled = false;
  }
});

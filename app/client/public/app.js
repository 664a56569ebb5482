"use strict";

const count = document.getElementById("count");
const button = document.getElementById("visit");
const message = document.getElementById("message");
const release = document.getElementById("release");

const TIMEOUT_MS = 5000;

async function request(path, method = "GET") {
  const response = await fetch(path, { method, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) {
    throw new Error(`${method} ${path} answered ${response.status}`);
  }
  return response.json();
}

async function showVisits(method, thanks) {
  try {
    const { visits } = await request("/api/visits", method);
    count.textContent = visits.toLocaleString("en");
    message.textContent = thanks;
  } catch (error) {
    console.error(error);
    message.textContent = "The shop does not answer. Please try again in a moment.";
  }
}

async function showRelease() {
  try {
    const { sha } = await request("/version.json");
    release.textContent = `Release ${sha.slice(0, 12)}`;
  } catch (error) {
    // The page is of use without it.
    console.error(error);
  }
}

button.addEventListener("click", async () => {
  // Not the disabled attribute: it would take the keyboard's focus away.
  if (button.getAttribute("aria-disabled") === "true") {
    return;
  }
  button.setAttribute("aria-disabled", "true");
  await showVisits("POST", "Thank you, your visit is counted.");
  button.removeAttribute("aria-disabled");
});

showVisits("GET", "");
showRelease();

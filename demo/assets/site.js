// What scripts add to the pages: adding without leaving the page, and twenty requests at once.
"use strict";

// A page that was only looked at has no token: asking for one starts a session.
let token = document.querySelector('meta[name="csrf-token"]')?.content;

async function csrfToken() {
  if (!token) {
    const response = await fetch("/token");
    if (!response.ok) throw new Error("The shop does not answer. Please try again.");
    token = await response.text();
  }
  return token;
}

async function add(fields) {
  const response = await fetch("/cart/add", {
    method: "POST",
    headers: { accept: "application/json", "x-csrf-token": await csrfToken() },
    body: new URLSearchParams(fields),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function countStored() {
  const response = await fetch("/session");
  return (await response.json()).cart;
}

function showCount(count) {
  const badge = document.getElementById("cart-count");
  badge.textContent = count;
  badge.hidden = count === 0;
}

function showFlash(text, isTrouble) {
  const message = document.createElement("p");
  message.className = isTrouble ? "flash trouble" : "flash";
  message.textContent = text;
  document.getElementById("flashes").replaceChildren(message);
}

// The receipt is rendered by the server; this puts the one about the latest requests in its place.
async function refreshReceipt() {
  const response = await fetch("/session/panel");
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const receipt = page.getElementById("session-panel");
  if (receipt) document.getElementById("session-panel").replaceWith(document.adoptNode(receipt));
  showScriptCookies();
}

function showScriptCookies() {
  const field = document.getElementById("script-cookies");
  if (field) field.textContent = document.cookie ? `can read ${document.cookie}` : "cannot read it: it is HttpOnly";
}

async function addFromForm(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const fields = Object.fromEntries(new FormData(form));
    delete fields.csrf_token;
    const { tea, count } = await add(fields);
    showCount(count);
    showFlash(`${tea} is in your cart.`, false);
  } catch (error) {
    showFlash(error.message, true);
  } finally {
    button.disabled = false;
    await refreshReceipt();
  }
}

async function burst(event) {
  const button = event.currentTarget;
  const result = document.getElementById("burst-result");
  const requests = Number(button.dataset.requests);
  button.disabled = true;
  result.textContent = "Sending…";
  try {
    await csrfToken();
    const before = await countStored();
    const begun = performance.now();
    const answers = await Promise.allSettled(Array.from({ length: requests }, () => add({ tea: button.dataset.tea })));
    const took = Math.round(performance.now() - begun);
    const accepted = answers.filter((answer) => answer.status === "fulfilled").length;
    const after = await showCart();
    const lost = accepted - (after - before);
    result.textContent =
      `${requests} requests in ${took} ms: ${accepted} accepted, the cart went from ${before} to ${after}, ` +
      `${lost === 0 ? "none" : lost} lost.`;
    result.dataset.lost = lost;
  } catch (error) {
    result.textContent = error.message;
  } finally {
    button.disabled = false;
    await refreshReceipt();
  }
}

// Shows the lines of the cart as they are stored now, and answers with the number of tins.
async function showCart() {
  const response = await fetch("/cart", { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const cart = page.getElementById("cart");
  if (!response.ok || !cart) throw new Error("The cart cannot be shown. Please reload the page.");
  document.getElementById("cart").replaceWith(document.adoptNode(cart));
  const count = Number(document.getElementById("total")?.dataset.count ?? 0);
  showCount(count);
  return count;
}

for (const form of document.querySelectorAll("form[data-add]")) form.addEventListener("submit", addFromForm);
document.getElementById("burst")?.addEventListener("click", burst);
showScriptCookies();

/* All labels: what is typed leaves those that have it in their name, and what they are kinds of. */

const input = document.querySelector(".search input");
const told = document.querySelector(".search [role=status]");
const items = [...document.querySelectorAll(".tree li")].reverse(); // those inside come before what they are in

function search() {
  const wanted = input.value.trim().toLowerCase();
  const found = new Set(); // a name can stand below several
  for (const item of items) {
    const name = item.querySelector(":scope > span > .label").textContent.toLowerCase();
    const isFound = name.includes(wanted);
    const isAbove = [...item.querySelectorAll(":scope > ul > li")].some((inner) => !inner.hidden);
    item.hidden = !isFound && !isAbove;
    if (isFound) found.add(name);
  }
  told.textContent = wanted ? `${found.size} ${found.size === 1 ? "name" : "names"}` : "";
  history.replaceState(null, "", wanted ? `?${new URLSearchParams({ q: input.value.trim() })}` : location.pathname);
}

input.value = new URLSearchParams(location.search).get("q") ?? "";
input.addEventListener("input", search);
input.parentElement.hidden = false;
if (input.value) search();

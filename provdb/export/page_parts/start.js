// The events of the page, and its beginning.
"use strict";

search.addEventListener("input", find);
search.addEventListener("focus", () => { if (search.value) find(); });
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") point(pointed() + 1);
  else if (event.key === "ArrowUp") point(pointed() - 1);
  else if (event.key === "Enter") jump(found.querySelectorAll("[role=option]")[pointed()]);
  else if (event.key === "Escape") { search.value = ""; find(); graphElement.focus(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
});
found.addEventListener("click", (event) => jump(event.target.closest("[role=option]")));
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".search")) found.hidden = true;
});

for (const [id, act] of Object.entries({
  "zoom-in": () => zoom(1.3),
  "zoom-out": () => zoom(1 / 1.3),
  fit,
  "open-all": () => setOpen(GROUPS),
  "close-all": () => setOpen([]),
  theme: () => {
    const {dataset} = document.documentElement;
    const isDark = dataset.theme ? dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    dataset.theme = isDark ? "light" : "dark";
  },
  print: () => print(),
})) by(id).addEventListener("click", act);
by("open-all").hidden = by("close-all").hidden = !GROUPS.length;

const KEYS = {
  "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), 0: fit,
  ArrowLeft: () => move(80, 0), ArrowRight: () => move(-80, 0),
  ArrowUp: () => move(0, 80), ArrowDown: () => move(0, -80),
  Escape: () => choose(null),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === search) return;
  const box = event.target.closest?.("[data-box]");
  if (event.key === "/") search.focus();
  else if (box && (event.key === "Enter" || event.key === " ")) {
    choose(Number(box.dataset.box));
    focusBox(chosen);
  } else if (box && event.key === "o") {
    const index = Number(box.dataset.box);
    const group = index >= FIRST_GROUP ? index : NODES[index].group;
    if (group !== null) toggle(group);
  } else if (KEYS[event.key] && !event.target.closest("aside")) KEYS[event.key]();
  else return;
  event.preventDefault();
});

graphElement.addEventListener("wheel", (event) => {
  event.preventDefault();
  const {left, top} = graphElement.getBoundingClientRect();
  const step = event.deltaMode === 1 ? 20 * event.deltaY : event.deltaY;
  zoom(Math.exp(-Math.max(-200, Math.min(200, step)) / 400),
    {x: event.clientX - left, y: event.clientY - top});
}, {passive: false});

// One pointer moves the picture, two zoom it.
const pointers = new Map();
let hasMoved = false;
graphElement.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
  hasMoved = pointers.size > 1;
});
window.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (!hasMoved && Math.hypot(dx, dy) < 4) return;
  hasMoved = true;
  graphElement.classList.add("moving");
  const others = [...pointers].filter(([id]) => id !== event.pointerId);
  if (others.length) {
    const other = others[0][1];
    const {left, top} = graphElement.getBoundingClientRect();
    const apart = (x, y) => Math.max(Math.hypot(x - other.x, y - other.y), 1);
    zoom(apart(event.clientX, event.clientY) / apart(last.x, last.y),
      {x: other.x - left, y: other.y - top});
  } else move(dx, dy);
  pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
});
for (const end of ["pointerup", "pointercancel"]) {
  window.addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    graphElement.classList.remove("moving");
  });
}
graphElement.addEventListener("click", (event) => {
  if (hasMoved) {
    event.preventDefault();
    return;
  }
  if (event.target.closest("a")) return;
  const knob = event.target.closest("[data-open]");
  if (knob) {
    toggle(Number(knob.dataset.open));
    return;
  }
  const index = boxAt(event);
  // The second of two: the first one has drawn the box anew, so it is no double click.
  if (event.detail === 2 && index >= FIRST_GROUP) {
    toggle(index);
    return;
  }
  choose(index);
  if (chosen !== null) focusBox(chosen);
});
// A box that gets the focus comes into view.
graphElement.addEventListener("focusin", (event) => {
  const box = event.target.closest?.("[data-box]");
  if (!box || !event.target.matches(":focus-visible")) return;
  const {left, right, top, bottom} = box.getBoundingClientRect();
  const frame = graphElement.getBoundingClientRect();
  if (left < frame.left || right > frame.right || top < frame.top || bottom > frame.bottom) {
    show(Number(box.dataset.box));
  }
});

/** Return which box is at a place, also from afar where none is drawn. */
function boxAt(event) {
  const {left, top} = graphElement.getBoundingClientRect();
  const x = (event.clientX - left - view.x) / view.k;
  const y = (event.clientY - top - view.y) / view.k;
  const box = scene.boxes.find(
    (one) => x >= one.x && x <= one.x + one.w && y >= one.y && y <= one.y + one.h);
  return box ? box.index : null;
}

// On paper is the whole picture.
let before = null;
window.addEventListener("beforeprint", () => {
  before = {...view};
  Object.assign(view, {x: 0, y: 0, k: 1});
  refresh.isWhole = true;
  clear();
  refresh();
  graphElement.setAttribute("viewBox", `-8 -8 ${scene.w + 16} ${scene.h + 16}`);
  by("legend").open = true;
});
window.addEventListener("afterprint", () => {
  Object.assign(view, before);
  refresh.isWhole = false;
  graphElement.removeAttribute("viewBox");
  clear();
  refresh();
});
window.addEventListener("resize", () => refresh());

by("notes").textContent = DATA.notes.join(" ");
const MARKS = ["failed", "interrupted", "running"];
const DOUBTS_OF_BOXES = ["mixed", "incomplete", "gap"];
const ARROWS = {
  inferred: ["arrow inferred", INFERRED],
  contested: ["arrow doubtful contested", CONTESTED],
  time_conflict: ["arrow doubtful conflict", CONFLICT],
  maybe_damaged: ["arrow doubtful", DAMAGED],
};
for (const [key, meaning] of DATA.legend) {
  const sign = element("svg", {viewBox: "-3 -9 36 26", "aria-hidden": true});
  if (ARROWS[key]) {
    const [classes, flags] = ARROWS[key];
    sign.append(...linesOf(classes, "M2 6H30", flags));
  } else {
    const isMark = MARKS.includes(key);
    const isDoubt = DOUBTS_OF_BOXES.includes(key);
    const isStep = key === "step" || isMark;
    const isFile = isDoubt || key === "many" || key === "asked";
    const colour = isStep ? "step" : isFile ? "file" : key;
    const classes = ["box", colour, key === "asked" ? "asked" : "", isMark ? `bad ${key}` : "",
      isDoubt ? `in-doubt is-${key}` : ""];
    const doubts = isDoubt ? [key] : [];
    const size = key === "mixed" ? {w: 24, h: 9} : {w: 28, h: 15};
    sign.append(element("g", {class: classes.join(" ")},
      ...shapes({colour, doubts}, size, key === "many")));
  }
  by("legend").querySelector("ul").append(html("li", {}, sign, meaning));
}

redraw();
begin();

// The picture itself: boxes and arrows as elements of SVG, and the part of it in view.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const graphElement = document.getElementById("graph");
const world = document.getElementById("world");
// Above this only what is in view is drawn, and from afar only blocks of colour.
const MANY = 1200;
const FAR = 0.2;
const view = {x: 0, y: 0, k: 1};
let scene = null;
let chosen = null;
let chain = null;
let drawn = new Map();
let isFar = false;

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Draw the lineage anew, as what is open says. */
function redraw() {
  scene = makeScene();
  scene.isLarge = scene.boxes.length + scene.arrows.length > MANY;
  relate();
  clear();
  refresh();
}

function clear() {
  world.replaceChildren();
  drawn = new Map();
  isFar = null;
}

function relate() {
  const place = chosen === null ? undefined : scene.places.get(chosen);
  chain = place === undefined ? null : related(scene, place);
}

/** Show what is in view, after it was moved. */
function refresh() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
  const far = scene.isLarge && view.k < FAR && !refresh.isWhole;
  if (far !== isFar) {
    world.replaceChildren();
    drawn = new Map();
    isFar = far;
    if (far) drawFar();
  }
  if (!far) drawNear();
}

/** Draw from afar: one element a colour, whatever there is. */
function drawFar() {
  const lines = scene.arrows.map(({points}) => {
    const end = points[points.length - 1];
    return `M${points[0].x} ${points[0].y}L${end.x} ${end.y}`;
  });
  world.append(element("path", {class: "far-arrows", d: lines.join("")}));
  const blocks = new Map();
  for (const box of scene.boxes) {
    const colour = NODES[box.index].colour;
    if (!blocks.has(colour)) blocks.set(colour, []);
    blocks.get(colour).push(`M${box.x} ${box.y}h${box.w}v${box.h}h${-box.w}z`);
  }
  for (const [colour, paths] of blocks) {
    const shape = element("path", {class: "shape", d: paths.join(""), "stroke-width": 4});
    world.append(element("g", {class: colour}, shape));
  }
}

function drawNear() {
  const {width, height} = graphElement.getBoundingClientRect();
  const isAll = !scene.isLarge || refresh.isWhole;
  const left = -view.x / view.k - 100;
  const top = -view.y / view.k - 100;
  const right = left + width / view.k + 200;
  const bottom = top + height / view.k + 200;
  const isSeen = (x1, y1, x2, y2) =>
    isAll || (x1 < right && x2 > left && y1 < bottom && y2 > top);
  const kept = new Map();
  const layers = [[], [], []];
  const keep = (key, layer, make) => {
    let made = drawn.get(key);
    if (!made) {
      made = make();
      layers[layer].push(made);
    }
    kept.set(key, made);
  };
  for (const frame of scene.frames) {
    if (isSeen(frame.x, frame.y, frame.x + frame.w, frame.y + frame.h)) {
      keep(`frame ${frame.group} ${frame.x}`, 0, () => drawFrame(frame));
    }
  }
  for (const arrow of scene.arrows) {
    const {points} = arrow;
    const end = points[points.length - 1];
    // Of those that only pass by there can be thousands.
    if ([points[0], end].some(({x, y}) => isSeen(x, y, x, y))) {
      keep(`arrow ${arrow.place}`, 1, () => drawArrow(arrow));
    }
  }
  for (const box of scene.boxes) {
    if (isSeen(box.x, box.y, box.x + box.w, box.y + box.h)) {
      keep(`box ${box.place}`, 2, () => drawBox(box));
    }
  }
  for (const [key, made] of drawn) if (!kept.has(key)) made.remove();
  drawn = kept;
  while (world.children.length < 3) world.append(element("g"));
  layers.forEach((made, layer) => world.children[layer].append(...made));
}

function drawFrame(frame) {
  const group = NODES[frame.group];
  const knob = drawKnob("−", frame.x + frame.w - 14, frame.y + 13, frame.group,
    `Close ${group.name.join("")}`);
  const name = element("text", {class: "name", x: frame.x + 10, y: frame.y + 17});
  name.textContent = fitting(group.name.join(""), frame.w - 40);
  const shape = {x: frame.x, y: frame.y, width: frame.w, height: frame.h, rx: 8};
  return element("g", {class: "frame"}, element("rect", shape), name, knob);
}

function fitting(text, room) {
  let letters = text;
  while (letters.length > 1 && textWidth(letters, "bold 11px Helvetica") > room) {
    letters = `${letters.slice(0, letters.endsWith("…") ? -2 : -1)}…`;
  }
  return letters;
}

function drawKnob(sign, x, y, index, label) {
  const text = element("text", {x, y: y + 4.5});
  text.textContent = sign;
  return element("g", {class: "knob", "data-open": index, role: "button", "aria-label": label},
    titled(label), element("circle", {cx: x, cy: y, r: 9}), text);
}

function titled(text) {
  const title = element("title");
  title.textContent = text;
  return title;
}

function drawArrow(arrow) {
  const isDoubtful = arrow.flags & ~INFERRED;
  const classes = ["arrow"];
  if (arrow.flags & INFERRED) classes.push("inferred");
  if (isDoubtful) classes.push("doubtful");
  if (arrow.flags & (CONTESTED | CLOCK)) classes.push("contested");
  if (arrow.flags & CONFLICT) classes.push("conflict");
  const ends = [scene.boxes[arrow.from].index, scene.boxes[arrow.to].index];
  if (chosen !== null && ends.includes(chosen)) classes.push("chosen");
  const lines = linesOf(classes.join(" "), curve(arrow.points), arrow.flags);
  const group = element("g", {}, titled([...arrow.hints].slice(0, 8).join("\n")), ...lines);
  if (arrow.words) {
    const [a, b] = arrow.points.slice(-2);
    const text = element("text", {
      class: isDoubtful ? "words doubtful" : "words", x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 - 4,
    });
    text.textContent = arrow.words;
    group.append(text);
  }
  if (chain && !(chain.has(arrow.from) && chain.has(arrow.to))) group.setAttribute("class", "dim");
  return group;
}

/** Return the lines of an arrow: two beside each other where two writes are possible. */
function linesOf(classes, d, flags) {
  const ends = {"marker-end": `url(#head${flags & ~INFERRED ? "-doubtful" : ""})`};
  if (flags & DAMAGED) ends["marker-start"] = "url(#square)";
  if (!(flags & (CONTESTED | CLOCK))) return [element("path", {class: classes, d, ...ends})];
  // The ends are drawn last, else the middle would cover them.
  return [
    element("path", {class: classes, d}), element("path", {class: "middle", d}),
    element("path", {class: "ends", d, ...ends}),
  ];
}

/** Return a line through points: level in the layers, curved between them. */
function curve(points) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = (a.x + b.x) / 2;
    path += a.y === b.y
      ? `H${b.x}` : `C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
  }
  return path;
}

function drawBox(box) {
  const node = NODES[box.index];
  const isGroup = box.index >= FIRST_GROUP;
  const classes = ["box", node.colour];
  if (node.asked) classes.push("asked");
  if (node.mark) classes.push("bad", node.mark);
  if (node.doubts) classes.push("in-doubt", ...node.doubts.map((doubt) => `is-${doubt}`));
  if (box.index === chosen) classes.push("chosen");
  if (chain && !chain.has(box.place)) classes.push("dim");
  const made = element("g", {
    class: classes.join(" "), transform: `translate(${box.x} ${box.y})`,
    tabindex: 0, role: "button", "data-box": box.index,
    "aria-label": `${isGroup ? "Many: " : ""}${[...node.name].join("")}, ${[...node.facts, ...box.doubts].join(", ")}`,
  }, titled(node.hint));
  made.append(...shapes(node, box, isGroup));
  const {name, facts, doubts} = box;
  const lines = [
    ...name.map((line) => ["name", line]),
    ...facts.map((line, number) =>
      [node.mark && number === facts.length - 1 ? "fact bad" : "fact", line]),
    ...doubts.map((line) => ["fact bad", line]),
  ];
  lines.forEach(([kind, line], number) => {
    const text = element("text", {
      class: kind, x: box.w / 2, y: 6 + LINE * number + 11,
    });
    text.textContent = line;
    made.append(text);
  });
  if (node.link) {
    const sign = element("text", {x: box.w - 10, y: box.h - 6});
    sign.textContent = "↗";
    made.append(element("a", {
      class: "data", href: node.link, target: "_blank", rel: "noopener noreferrer", tabindex: -1,
      "aria-label": `Data of ${[...node.name].join("")}`,
    }, titled(node.link), sign));
  }
  if (isGroup) made.append(drawKnob("+", box.w / 2, box.h, box.index, `Open ${node.members.length}`));
  return made;
}

/** Return the shape of a box: round for steps, with a folded corner for files. */
function shapes(node, {w, h}, isGroup) {
  const outline = (dx) => {
    if (node.colour === "step" || node.colour === "value") {
      const rx = node.colour === "value" ? h / 2 : Math.min(12, h / 3);
      return {tag: "rect", at: {x: dx, y: -dx, width: w, height: h, rx}};
    }
    return {tag: "path", at: {d: `M${dx} ${-dx}h${w - 9}l9 9v${h - 9}h${-w}z`}};
  };
  const made = [];
  for (const dx of isGroup ? [7, 3.5] : []) {
    const {tag, at} = outline(dx);
    made.push(element(tag, {class: "behind", ...at}));
  }
  if (node.doubts?.includes("mixed")) {
    const around = {x: -4, y: -4, width: w + 8, height: h + 8, rx: 3};
    made.push(element("rect", {class: "second", ...around}));
  }
  const {tag, at} = outline(0);
  made.push(element(tag, {class: "shape", ...at}));
  if (tag === "path") made.push(element("path", {class: "fold", d: `M${w - 9} 0v9h9`}));
  return made;
}

// What is shown of the lineage: every node of its own, or the box of many that it is in.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const INFERRED = 1;
const CONFLICT = 2;
const CONTESTED = 4;
const CLOCK = 8;
const DAMAGED = 16;
const DOUBTS = [
  [CONTESTED, "contested"], [CLOCK, "clock"], [CONFLICT, "time conflict"],
  [DAMAGED, "maybe damaged"],
];

// Every node of its own, then every box of many. An index in here is what all else names.
const NODES = [...DATA.boxes, ...DATA.groups];
const FIRST_GROUP = DATA.boxes.length;
NODES.forEach((node, index) => {
  node.index = index;
  node.members = [];
  node.words = [node.hint, ...node.name, ...node.facts, ...Object.values(node.fields)]
    .filter((value) => typeof value !== "object").join(" ").toLowerCase();
});
for (const node of DATA.boxes) {
  node.group = node.of === undefined ? null : FIRST_GROUP + node.of;
  if (node.group !== null) NODES[node.group].members.push(node.index);
}
const GROUPS = NODES.slice(FIRST_GROUP).map((group) => group.index);
const open = new Set(DATA.isOpen ? GROUPS : []);

/** Return the index of what is shown for a node. */
function shownFor(index) {
  const group = NODES[index].group ?? null;
  return group !== null && !open.has(group) ? group : index;
}

/** Return what is shown: {nodes: [index…], arrows: [{from, to, …}]}, from early to late. */
function shownGraph() {
  const places = new Map();
  const nodes = [];
  for (let index = 0; index < FIRST_GROUP; index++) {
    const shown = shownFor(index);
    if (!places.has(shown)) {
      places.set(shown, nodes.length);
      nodes.push(shown);
    }
  }
  const together = new Map();
  for (const [source, target, relation, hint, flags] of DATA.arrows) {
    const from = places.get(shownFor(target));
    const to = places.get(shownFor(source));
    const key = `${from} ${to}`;
    const arrow = together.get(key);
    if (!arrow) {
      // What comes from itself is inside of one box of many.
      if (from !== to || source === target) {
        together.set(key, {from, to, relation, hints: new Set([hint]), flags, count: 1});
      }
      continue;
    }
    arrow.hints.add(hint);
    arrow.count += 1;
    // Inferred if all in it are; in doubt if any is.
    arrow.flags = (arrow.flags & flags & INFERRED) | ((arrow.flags | flags) & ~INFERRED);
  }
  return {nodes, arrows: [...together.values()]};
}

const canvas = document.createElement("canvas").getContext("2d");
const LINE = 14;
const widths = new Map();

function textWidth(text, font) {
  const key = font + text;
  let width = widths.get(key);
  if (width === undefined) {
    canvas.font = font;
    width = canvas.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/** Return how a node is drawn: its lines, and how large that is. */
function measured(index) {
  const node = NODES[index];
  const isMember = node.group !== undefined && node.group !== null;
  // Members are many: each is as low as can be.
  const name = isMember ? [node.name.join("")] : node.name;
  const facts = isMember && node.facts.length ? [node.facts.join(" · ")] : node.facts;
  const doubts = node.doubtful ? [node.doubtful] : [];
  const font = "Helvetica, Arial, sans-serif";
  const widest = Math.max(
    ...name.map((line) => textWidth(line, `bold 12px ${font}`)),
    ...doubts.map((line) => textWidth(line, `bold 10.5px ${font}`)),
    ...facts.map((line) => textWidth(line, `10.5px ${font}`)),
    40,
  );
  const isRound = node.colour === "step" || node.colour === "value";
  return {
    name, facts, doubts,
    w: Math.ceil(widest) + (isRound ? 30 : 38),
    // Room for the sign that opens it.
    h: LINE * (name.length + facts.length + doubts.length) + (index < FIRST_GROUP ? 12 : 20),
    below: index < FIRST_GROUP ? 0 : 10,
    group: isMember ? node.group : null,
  };
}

/** Return what is to be read at an arrow. */
function wordsAt({relation, flags}) {
  return [
    relation === "wasDerivedFrom" || relation === "hadMember" ? relation : "",
    flags & INFERRED ? "inferred" : "",
    ...DOUBTS.map(([flag, words]) => flags & flag ? words : ""),
  ].filter(Boolean).join(", ");
}

/** Return the scene: what is shown, laid out. */
function makeScene() {
  const graph = shownGraph();
  const boxes = graph.nodes.map(measured);
  const isData = (place) => /^(R|DL)\d$/.test(NODES[graph.nodes[place]].colour);
  const arrows = graph.arrows.map((arrow) => {
    const words = wordsAt(arrow);
    const room = words ? textWidth(words, "10px Helvetica, Arial, sans-serif") + 24 : 0;
    return {...arrow, words, room, weight: isData(arrow.from) || isData(arrow.to) ? 4 : 1};
  });
  const plan = layOut(boxes, arrows);
  graph.nodes.forEach((index, place) => {
    Object.assign(boxes[place], plan.boxes[place], {index, place});
  });
  arrows.forEach((arrow, place) => Object.assign(arrow, {place, points: plan.arrows[place]}));
  const places = new Map(graph.nodes.map((index, place) => [index, place]));
  return {boxes, arrows: arrows.filter((arrow) => arrow.points), frames: plan.frames,
    places, w: plan.w, h: plan.h};
}

/** Return the places of all that a box comes from, and of all that comes from it. */
function related(scene, place) {
  const found = new Set([place]);
  for (const [here, there] of [["to", "from"], ["from", "to"]]) {
    const next = new Map();
    for (const arrow of scene.arrows) {
      if (!next.has(arrow[here])) next.set(arrow[here], []);
      next.get(arrow[here]).push(arrow[there]);
    }
    const waiting = [place];
    const seen = new Set(waiting);
    while (waiting.length) {
      for (const other of next.get(waiting.pop()) ?? []) {
        if (!seen.has(other)) {
          seen.add(other);
          found.add(other);
          waiting.push(other);
        }
      }
    }
  }
  return found;
}

// Where the boxes and arrows of a graph stand: in layers, the earliest data on the left.
//
// The method is that of Sugiyama, Tagawa and Toda (1981): layers by longest paths, orders
// by barycentres, and heights that bring neighbours level. Members of one group stand
// together in their layer, below each other.
"use strict";

const GAP_BETWEEN_LAYERS = 40;
const GAP_BETWEEN_BOXES = 12;
const GAP_BETWEEN_LINES = 7;
const FRAME_TOP = 30;
const FRAME_SIDE = 10;

/**
 * Lay out a graph.
 *
 * @param boxes  Array of {w, h, below, group}: sizes, what is to stay free below, and the
 *               group it is a member of, or null; boxes with a smaller index are drawn
 *               further up where nothing else decides.
 * @param arrows Array of {from, to, weight, room}: indices of the earlier and the later
 *               box, how straight it is to be, and the width of what is written at it.
 * @returns {boxes: [{x, y}], arrows: [[{x, y}…]], frames: [{group, x, y, w, h}], w, h}
 */
function layOut(boxes, arrows) {
  const graph = withoutCycles(boxes.length, arrows);
  const ranks = rankBoxes(boxes.length, graph);
  const {cells, chains} = makeCells(boxes, arrows, graph, ranks);
  const layers = orderLayers(cells);
  placeUpright(layers);
  const rooms = new Map();
  for (const {a, b, index} of graph) {
    const after = ranks[b] - 1;
    rooms.set(after, Math.max(rooms.get(after) ?? 0, arrows[index].room || 0));
  }
  const columns = placeAcross(layers, rooms);
  return draw(boxes, arrows, cells, chains, layers, columns);
}

/** Return the arrows as pairs of which none leads back, without those to itself. */
function withoutCycles(count, arrows) {
  const next = Array.from({length: count}, () => []);
  arrows.forEach((arrow, index) => {
    if (arrow.from !== arrow.to) next[arrow.from].push(index);
  });
  const state = new Uint8Array(count);
  const flipped = new Set();
  for (let root = 0; root < count; root++) {
    if (state[root]) continue;
    const path = [[root, 0]];
    state[root] = 1;
    while (path.length) {
      const top = path[path.length - 1];
      const index = next[top[0]][top[1]++];
      if (index === undefined) {
        state[top[0]] = 2;
        path.pop();
        continue;
      }
      const to = arrows[index].to;
      if (state[to] === 1) flipped.add(index);
      if (state[to] === 0) {
        state[to] = 1;
        path.push([to, 0]);
      }
    }
  }
  const pairs = [];
  arrows.forEach(({from, to}, index) => {
    if (from !== to) {
      pairs.push(flipped.has(index) ? {a: to, b: from, index} : {a: from, b: to, index});
    }
  });
  return pairs;
}

/** Return the layer of each box: after all it came from, near to what came from it. */
function rankBoxes(count, graph) {
  const next = Array.from({length: count}, () => []);
  const before = Array.from({length: count}, () => []);
  for (const {a, b} of graph) {
    next[a].push(b);
    before[b].push(a);
  }
  const missing = before.map((list) => list.length);
  const sorted = [];
  for (let i = 0; i < count; i++) if (!missing[i]) sorted.push(i);
  const ranks = new Int32Array(count);
  for (let at = 0; at < sorted.length; at++) {
    for (const b of next[sorted[at]]) {
      ranks[b] = Math.max(ranks[b], ranks[sorted[at]] + 1);
      if (--missing[b] === 0) sorted.push(b);
    }
  }
  for (let at = sorted.length - 1; at >= 0; at--) {
    const box = sorted[at];
    // More of its arrows get shorter than longer.
    if (next[box].length > before[box].length || !before[box].length) {
      let nearest = Infinity;
      for (const b of next[box]) nearest = Math.min(nearest, ranks[b] - 1);
      if (nearest !== Infinity) ranks[box] = nearest;
    }
  }
  return ranks;
}

/** Return a cell a box, and one for each layer that an arrow passes by. */
function makeCells(boxes, arrows, graph, ranks) {
  const cells = boxes.map((box, index) => ({
    layer: ranks[index], h: box.h + (box.below || 0), w: box.w, block: box.group ?? `b${index}`,
    isFramed: box.group !== null && box.group !== undefined,
    left: [], right: [], y: 0, order: index,
  }));
  const chains = new Array(arrows.length).fill(null);
  // Arrows from one box go side by side as one line, until they part.
  const trunks = new Map();
  const joins = new Map();
  for (const {a, b, index} of graph) {
    const chain = [a];
    for (let layer = ranks[a] + 1; layer < ranks[b]; layer++) {
      const key = `${a} ${layer}`;
      if (!trunks.has(key)) {
        trunks.set(key, cells.length);
        cells.push({
          layer, h: 0, w: 0, block: `l${key}`, isFramed: false, isLine: true,
          left: [], right: [], y: 0, order: cells[b].order,
        });
      }
      chain.push(trunks.get(key));
    }
    chain.push(b);
    // Long lines are straight.
    const weight = (arrows[index].weight || 1) * (chain.length > 2 ? 2 : 1);
    for (let i = 1; i < chain.length; i++) {
      const key = chain[i - 1] * 2 ** 26 + chain[i];
      joins.set(key, Math.max(joins.get(key) ?? 0, weight));
    }
    chains[index] = chain.map((cell) => cells[cell]);
  }
  for (const [key, weight] of joins) {
    const [a, b] = [cells[Math.floor(key / 2 ** 26)], cells[key % 2 ** 26]];
    a.right.push([b, weight]);
    b.left.push([a, weight]);
  }
  // What all of a thousand used is not where each of them has to be.
  for (const cell of cells) {
    for (const link of cell.right) link[1] /= Math.sqrt(Math.max(cell.right.length, link[0].left.length));
    for (const link of cell.left) link[1] /= Math.sqrt(Math.max(cell.left.length, link[0].right.length));
  }
  return {cells, chains};
}

/** Return the cells of each layer, in an order with few crossings. */
function orderLayers(cells) {
  const layers = [];
  for (const cell of cells) (layers[cell.layer] ??= []).push(cell);
  for (let i = 0; i < layers.length; i++) layers[i] ??= [];
  for (const layer of layers) layer.sort((a, b) => a.order - b.order);
  layers.forEach(numbered);
  const rounds = cells.length > 4000 ? 4 : 12;
  let best = layers.map((layer) => layer.slice());
  let fewest = crossings(layers);
  for (let round = 0; round < rounds && fewest > 0; round++) {
    const isForth = round % 2 === 0;
    const order = isForth ? layers : layers.slice().reverse();
    for (const layer of order) sortLayer(layer, isForth ? "left" : "right");
    const now = crossings(layers);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => layer.slice());
    }
  }
  best.forEach(numbered);
  return best;
}

function numbered(layer) {
  layer.forEach((cell, index) => { cell.at = index; });
}

/** Sort a layer by where the neighbours of its cells are, blocks together. */
function sortLayer(layer, side) {
  const blocks = new Map();
  for (const cell of layer) {
    const wish = mean(cell[side], (other) => other.at) ?? cell.at;
    // What is equal but for the last digit keeps its order.
    cell.wish = Math.round(wish * 1e6) / 1e6;
    const block = blocks.get(cell.block);
    if (block) block.push(cell);
    else blocks.set(cell.block, [cell]);
  }
  const sorted = [...blocks.values()].map((block) => {
    block.sort((a, b) => a.wish - b.wish || a.at - b.at);
    const wish = block.reduce((sum, cell) => sum + cell.wish, 0) / block.length;
    return {block, wish, at: block[0].at};
  });
  sorted.sort((a, b) => a.wish - b.wish || a.at - b.at);
  layer.splice(0, layer.length, ...sorted.flatMap(({block}) => block));
  numbered(layer);
}

function mean(links, value) {
  let sum = 0;
  let weights = 0;
  for (const [other, weight] of links) {
    sum += weight * value(other);
    weights += weight;
  }
  return weights ? sum / weights : null;
}

/** Count how often arrows cross between neighbouring layers, with a Fenwick tree. */
function crossings(layers) {
  let count = 0;
  for (let i = 1; i < layers.length; i++) {
    const size = layers[i].length;
    const tree = new Float64Array(size + 1);
    let seen = 0;
    for (const cell of layers[i - 1]) {
      const ends = cell.right.map(([other]) => other.at).sort((a, b) => a - b);
      for (const end of ends) {
        let before = 0;
        for (let k = end + 1; k > 0; k -= k & -k) before += tree[k];
        count += seen - before;
      }
      for (const end of ends) {
        for (let k = end + 1; k <= size; k += k & -k) tree[k] += 1;
        seen += 1;
      }
    }
  }
  return count;
}

/** Give each cell its height: as near to its neighbours as the order lets it be. */
function placeUpright(layers) {
  for (const layer of layers) {
    let y = 0;
    layer.forEach((cell, index) => {
      y += index ? distance(layer[index - 1], cell) : 0;
      cell.y = y;
    });
    layer.forEach((cell) => { cell.y -= y / 2; });
  }
  for (let round = 0; round < 12; round++) {
    const isForth = round % 2 === 0;
    const sides = round < 8 ? [isForth ? "left" : "right"] : ["left", "right"];
    const order = isForth ? layers : layers.slice().reverse();
    for (const layer of order) settle(layer, sides);
  }
}

/** Return how far the middles of two cells below each other are apart, at least. */
function distance(above, below) {
  const isLine = above.isLine || below.isLine;
  let gap = above.isLine && below.isLine ? GAP_BETWEEN_LINES : GAP_BETWEEN_BOXES;
  if (isLine && !(above.isLine && below.isLine)) gap = GAP_BETWEEN_BOXES;
  if (above.block !== below.block) {
    if (above.isFramed) gap += FRAME_SIDE;
    if (below.isFramed) gap += FRAME_TOP;
  }
  return (above.h + below.h) / 2 + gap;
}

/**
 * Move the cells of a layer to where they wish to be, in order and apart: the least
 * squares solution, by pooling neighbours that would overlap.
 */
function settle(layer, sides) {
  const pools = [];
  let offset = 0;
  layer.forEach((cell, index) => {
    offset += index ? distance(layer[index - 1], cell) : 0;
    cell.offset = offset;
    const links = sides.flatMap((side) => cell[side]);
    const wish = mean(links, (other) => other.y);
    // One box that many others used does not outweigh them.
    const weight = links.reduce((most, link) => Math.max(most, link[1]), 0);
    let pool = {
      sum: (weight || 0.01) * ((wish ?? cell.y) - offset), weight: weight || 0.01,
      first: index, last: index,
    };
    while (pools.length) {
      const above = pools[pools.length - 1];
      if (above.sum / above.weight <= pool.sum / pool.weight) break;
      pools.pop();
      pool = {
        sum: above.sum + pool.sum, weight: above.weight + pool.weight,
        first: above.first, last: pool.last,
      };
    }
    pools.push(pool);
  });
  for (const {sum, weight, first, last} of pools) {
    for (let i = first; i <= last; i++) layer[i].y = sum / weight + layer[i].offset;
  }
}

/** Return where each layer begins and ends from left to right, with room after it. */
function placeAcross(layers, rooms) {
  let x = 0;
  return layers.map((layer, index) => {
    const width = layer.reduce((most, cell) => Math.max(most, cell.w), 0);
    const framed = layer.some((cell) => cell.isFramed) ? FRAME_SIDE : 0;
    const column = {left: x + framed, right: x + framed + width};
    const curves = GAP_BETWEEN_LAYERS + Math.min(90, layer.length);
    x = column.right + framed + Math.max(curves, rooms.get(index) ?? 0);
    return column;
  });
}

/** Return the picture, moved so that it begins at 0, 0. */
function draw(boxes, arrows, cells, chains, layers, columns) {
  let top = Infinity;
  let bottom = -Infinity;
  for (const cell of cells) {
    top = Math.min(top, cell.y - cell.h / 2 - (cell.isFramed ? FRAME_TOP : 0));
    bottom = Math.max(bottom, cell.y + cell.h / 2 + (cell.isFramed ? FRAME_SIDE : 0));
  }
  for (const cell of cells) cell.y -= top;
  const placed = boxes.map((box, index) => {
    const {left, right} = columns[cells[index].layer];
    return {x: (left + right - box.w) / 2, y: cells[index].y - cells[index].h / 2};
  });
  const lines = arrows.map(({from, to}, index) => {
    const chain = chains[index];
    if (!chain) return null;
    const points = [];
    for (const cell of chain) {
      const {left, right} = columns[cell.layer];
      const middle = (left + right) / 2;
      points.push({x: cell.isLine ? left : middle - cell.w / 2, y: cell.y});
      points.push({x: cell.isLine ? right : middle + cell.w / 2, y: cell.y});
    }
    const inner = points.slice(1, -1);
    return chain[0] === cells[from] ? inner : inner.reverse();
  });
  const frames = new Map();
  boxes.forEach((box, index) => {
    if (!cells[index].isFramed) return;
    const key = `${cells[index].layer} ${box.group}`;
    const {x, y} = placed[index];
    const frame = frames.get(key) ?? {group: box.group, x, y, right: x, bottom: y};
    frame.x = Math.min(frame.x, x);
    frame.y = Math.min(frame.y, y);
    frame.right = Math.max(frame.right, x + box.w);
    frame.bottom = Math.max(frame.bottom, y + box.h);
    frames.set(key, frame);
  });
  return {
    boxes: placed,
    arrows: lines,
    frames: [...frames.values()].map((frame) => ({
      group: frame.group,
      x: frame.x - FRAME_SIDE,
      y: frame.y - FRAME_TOP + 4,
      w: frame.right - frame.x + 2 * FRAME_SIDE,
      h: frame.bottom - frame.y + FRAME_TOP + FRAME_SIDE - 6,
    })),
    w: columns.length ? columns[columns.length - 1].right + FRAME_SIDE : 0,
    h: cells.length ? bottom - top : 0,
  };
}

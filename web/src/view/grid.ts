// Where tiles go: the number of columns that makes them biggest, in a shape that suits a picture.

const WIDEST = 16 / 9;
const NARROWEST = 4 / 3;

export interface Grid {
  columns: number;
  /** Of one tile, in whole pixels. */
  width: number;
  height: number;
}

/** The grid of `count` tiles in a space of that size, with that gap between two tiles; all in pixels. */
export function tileGrid(count: number, space: { width: number; height: number }, gap: number): Grid {
  let best: Grid = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cell = {
      width: Math.max(0, (space.width - gap * (columns - 1)) / columns),
      height: Math.max(0, (space.height - gap * (rows - 1)) / rows),
    };
    const width = Math.floor(Math.min(cell.width, cell.height * WIDEST));
    const height = Math.floor(Math.min(cell.height, width / NARROWEST));
    // Of equals the one with fewer columns: its last row is fuller.
    if (width * height > best.width * best.height) best = { columns, width, height };
  }
  return best;
}

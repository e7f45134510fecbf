import { signal } from "@preact/signals";
import type { TensorView } from "../../protocol/content";
import type { PagePeer } from "../../protocol/pagePeer";
import type { Cells, ErrorView } from "../../protocol/views";
import { failureOf } from "../editState";

/** Values read at once: a part of the plane that is about square, so that both ways of scrolling need few of them. */
const TILE_VALUES = 4_096;
const TILE_SIDE = 64;
/** Parts kept. */
const KEPT_TILES = 96;
/** Parts asked for at the same time; what is scrolled past before its turn is not asked for. */
const AT_ONCE = 2;

/** A rectangle of cells; the ends are exclusive. */
export interface CellWindow {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly firstColumn: number;
  readonly lastColumn: number;
}

/** The values of one plane of a tensor, read in parts when they are seen. */
export class SliceReader {
  /** Raised when values came. */
  readonly version = signal(0);
  readonly failure = signal<ErrorView | undefined>(undefined);
  readonly #peer: Pick<PagePeer, "request">;
  readonly #tensor: number;
  readonly #view: TensorView;
  readonly #rows: number;
  readonly #columns: number;
  readonly #tileRows: number;
  readonly #tileColumns: number;
  readonly #tiles = new Map<string, Cells>();
  readonly #asked = new Set<string>();
  readonly #abort = new AbortController();
  #window: CellWindow | undefined;

  constructor(
    peer: Pick<PagePeer, "request">,
    tensor: number,
    view: TensorView,
    size: { readonly rows: number; readonly columns: number },
  ) {
    this.#peer = peer;
    this.#tensor = tensor;
    this.#view = view;
    this.#rows = size.rows;
    this.#columns = size.columns;
    this.#tileColumns = Math.max(1, Math.min(size.columns, Math.max(TILE_SIDE, Math.floor(TILE_VALUES / size.rows))));
    this.#tileRows = Math.floor(TILE_VALUES / Math.min(TILE_VALUES, this.#tileColumns));
  }

  /** The value of a cell; `undefined` while it is not there. */
  at(row: number, column: number): Cells[number] | undefined {
    const tileRow = Math.floor(row / this.#tileRows);
    const tileColumn = Math.floor(column / this.#tileColumns);
    const values = this.#tiles.get(`${tileRow},${tileColumn}`);
    const width = Math.min(this.#tileColumns, this.#columns - tileColumn * this.#tileColumns);
    return values?.[(row - tileRow * this.#tileRows) * width + (column - tileColumn * this.#tileColumns)];
  }

  /** Says what is seen now; what of it is not there is read. */
  show(window: CellWindow): void {
    this.#window = window;
    this.#next();
  }

  /** Reads again what failed. */
  retry(): void {
    this.failure.value = undefined;
    this.#next();
  }

  /** Forgets everything and asks for nothing more. */
  dispose(): void {
    this.#window = undefined;
    this.#abort.abort();
  }

  #next(): void {
    if (this.failure.value) return;
    for (const [tileRow, tileColumn] of this.#missing()) {
      if (this.#asked.size >= AT_ONCE) return;
      void this.#read(tileRow, tileColumn);
    }
  }

  #missing(): (readonly [row: number, column: number])[] {
    if (!this.#window) return [];
    const { firstRow, lastRow, firstColumn, lastColumn } = this.#window;
    const missing: (readonly [number, number])[] = [];
    for (let row = Math.floor(firstRow / this.#tileRows); row * this.#tileRows < lastRow; row++) {
      for (
        let column = Math.floor(firstColumn / this.#tileColumns);
        column * this.#tileColumns < lastColumn;
        column++
      ) {
        const key = `${row},${column}`;
        if (!this.#tiles.has(key) && !this.#asked.has(key)) missing.push([row, column]);
      }
    }
    return missing;
  }

  async #read(tileRow: number, tileColumn: number): Promise<void> {
    const key = `${tileRow},${tileColumn}`;
    this.#asked.add(key);
    const rowStart = tileRow * this.#tileRows;
    const columnStart = tileColumn * this.#tileColumns;
    const range = {
      rowStart,
      rowCount: Math.min(this.#tileRows, this.#rows - rowStart),
      columnStart,
      columnCount: Math.min(this.#tileColumns, this.#columns - columnStart),
    };
    const { signal: aborted } = this.#abort;
    try {
      const input = { tensor: this.#tensor, view: this.#view, range };
      const { values } = await this.#peer.request("tensor/slice", input, aborted);
      this.#keep(key, values);
    } catch (error) {
      if (!aborted.aborted) this.failure.value = failureOf(error);
    }
    this.#asked.delete(key);
    if (aborted.aborted) return;
    this.version.value += 1;
    this.#next();
  }

  #keep(key: string, values: Cells): void {
    this.#tiles.set(key, values);
    for (const oldest of this.#tiles.keys()) {
      if (this.#tiles.size <= KEPT_TILES) return;
      this.#tiles.delete(oldest);
    }
  }
}

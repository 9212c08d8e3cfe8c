// Which edges of a row that scrolls sideways have more behind them.

export interface CutEdges {
  left: boolean
  right: boolean
}

/** Half a pixel of rounding is no more. */
export function cutEdges(row: Pick<HTMLElement, 'scrollLeft' | 'clientWidth' | 'scrollWidth'>): CutEdges {
  return {
    left: row.scrollLeft > 1,
    right: row.scrollLeft + row.clientWidth < row.scrollWidth - 1,
  }
}

/** Where the row scrolls to so that an item (its place in the row, in pixels) stands in its middle. */
export function middleOf(
  item: { left: number; width: number },
  row: Pick<HTMLElement, 'clientWidth' | 'scrollWidth'>,
): number {
  const wanted = item.left + item.width / 2 - row.clientWidth / 2
  return Math.max(0, Math.min(wanted, row.scrollWidth - row.clientWidth))
}

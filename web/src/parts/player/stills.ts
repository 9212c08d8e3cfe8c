// Stills along a recording: which one shows a moment.
import type { Still } from '@/api/recordings'

/** The last still at or before the moment (seconds), else the first; null when there is none. Stills are in order. */
export function stillAt(stills: readonly Still[], seconds: number): Still | null {
  let found: Still | null = stills[0] ?? null
  for (const still of stills) {
    if (still.at_ms / 1000 > seconds) break
    found = still
  }
  return found
}

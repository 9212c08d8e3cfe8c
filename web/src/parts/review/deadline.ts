// How long a reviewer has left for what is on the screen: until then a cut keeps it from the audience.

/** Below this nothing that is pressed comes in time for the frame that is seen. */
export const TIGHT_SECONDS = 2

export type Ahead = 'unknown' | 'ample' | 'tight' | 'late'

/** Seconds until what is seen is let out, by the delay and how long ago it was published; null: not known. */
export function secondsLeft(delaySeconds: number, latencySeconds: number | null): number | null {
  return latencySeconds === null ? null : delaySeconds - latencySeconds
}

export function aheadOf(left: number | null): Ahead {
  if (left === null) return 'unknown'
  if (left <= 0) return 'late'
  return left < TIGHT_SECONDS ? 'tight' : 'ample'
}

/** Rounded down to tenths: nobody is promised time that is not there. */
export const tenths = (seconds: number) => (Math.max(0, Math.floor(seconds * 10)) / 10).toFixed(1)

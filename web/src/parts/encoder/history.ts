// The last minute of the encoder's figures, for the small curve and for "dropped lately".

export interface Sample {
  at: number
  kbps: number
  dropped: number | null
}

export const KEPT_MS = 60_000
const LATELY_MS = 10_000

/** A new history with the sample added and what is older than a minute gone. */
export function withSample(history: readonly Sample[], sample: Sample): Sample[] {
  return [...history.filter((old) => sample.at - old.at < KEPT_MS), sample]
}

/** Frames dropped within the last ten seconds; null while nothing is known. A counter that fell was a new take. */
export function droppedLately(history: readonly Sample[]): number | null {
  const last = history.at(-1)
  if (!last || last.dropped === null) return null
  const before = history.find((sample) => last.at - sample.at <= LATELY_MS && sample.dropped !== null)
  const difference = last.dropped - (before?.dropped ?? last.dropped)
  return difference < 0 ? last.dropped : difference
}

/** The curve as an SVG path over a box; the scale begins at zero, so that a dip looks as deep as it is. */
export function curve(history: readonly Sample[], now: number, width: number, height: number): string {
  const top = Math.max(1, ...history.map((sample) => sample.kbps)) * 1.1
  return history
    .map((sample, index) => {
      const x = width * (1 - (now - sample.at) / KEPT_MS)
      const y = height * (1 - sample.kbps / top)
      return `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}

// The pauses of a live stream: where it shows the holding picture because the class was cut (docs/decisions/0026). What
// was cut is in no stream, so nobody is led into a pause that is over. Seconds of media.

export interface Pause {
  start: number
  end: number
}

interface ShownFragment {
  start: number
  duration: number
  initSegment?: { relurl?: string } | null
}

/** As FIRST_HOLDING_INIT of ingest/events.py: no class comes to so many. */
export const FIRST_HOLDING_INIT = 900_000_000
const INIT_NUMBER = /init-(\d+)\.mp4/

function showsPicture(init: ShownFragment['initSegment']): boolean {
  return Number(INIT_NUMBER.exec(init?.relurl ?? '')?.[1] ?? 0) >= FIRST_HOLDING_INIT
}

/** `open` is the fragment that still grows, up to `edge`: it may have no length yet. */
export function pausesIn(
  fragments: readonly ShownFragment[],
  open: ShownFragment | null = null,
  edge = 0,
): Pause[] {
  const found: Pause[] = []
  let init: ShownFragment['initSegment'] = null
  let shows = false
  let last: Pause | null = null
  for (const one of open ? [...fragments, open] : fragments) {
    if (one.initSegment !== init) {
      init = one.initSegment
      shows = showsPicture(init)
    }
    if (!shows) {
      last = null
      continue
    }
    const end = one === open ? Math.max(edge, one.start) : one.start + one.duration
    if (last) last.end = end
    else found.push((last = { start: one.start, end }))
  }
  return found
}

export function pauseAt(pauses: readonly Pause[], position: number): Pause | null {
  return pauses.find((one) => one.start <= position && position < one.end) ?? null
}

/** Where a seek lands: in no pause, but where the class goes on after it. */
export const soughtPast = (pauses: readonly Pause[], wanted: number) => pauseAt(pauses, wanted)?.end ?? wanted

/** Less of the class than this behind a pause may yet be its last part: it is not taken for over. */
const COME_BACK_SECONDS = 1

/**
 * The end of a pause that is over, for who would have to sit through more than `patience` seconds of it; else null: at the
 * live edge one sees the class come back.
 */
export function leftBehind(
  pauses: readonly Pause[],
  position: number,
  edge: number,
  patience: number,
): number | null {
  const pause = pauseAt(pauses, position)
  if (!pause || edge - pause.end < COME_BACK_SECONDS || pause.end - position <= patience) return null
  return pause.end
}

/** Where a step leads, as if no pause that it begins or ends in were there. */
export function stepped(pauses: readonly Pause[], from: number, step: number): number {
  const here = pauseAt(pauses, from)
  const wanted = (here ? (step < 0 ? here.start : here.end) : from) + step
  const there = pauseAt(pauses, wanted)
  if (!there) return wanted
  return step < 0 ? there.start - (there.end - wanted) : there.end + (wanted - there.start)
}
